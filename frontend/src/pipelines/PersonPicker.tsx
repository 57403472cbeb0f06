import { useQuery } from '@tanstack/react-query';
import { X } from 'lucide-react';
import { useId, useState, type FocusEvent, type KeyboardEvent } from 'react';
import { ownersQuery } from '../api/people';
import { sentenceOf } from '../api/problem';
import type { Person } from '../api/types';
import { IconButton } from '../ui/Button';
import { Input } from '../ui/Fields';
import { useDelayed } from '../ui/useDelayed';
import css from './PersonPicker.module.css';

interface Props {
  team: string;
  value: Person | null;
  onChange: (person: Person | null) => void;
  /** Accessible name of the button that empties the field. */
  clear: string;
  /** Ids that tie the field to its label, hint and error. */
  control: { id: string; 'aria-describedby': string | undefined; 'aria-invalid': boolean };
}

/** A person of the team: typing searches, arrows and Enter choose, Escape lets go. */
export function PersonPicker({ team, value, onChange, clear, control }: Props) {
  const list = useId();
  const [open, setOpen] = useState(false);
  const [q, setQ] = useState('');
  const [typed, setTyped] = useDelayed(q, setQ, 150);
  const [active, setActive] = useState(0);
  const query = useQuery({ ...ownersQuery(team, q.trim()), enabled: open });
  const people = query.data?.results ?? [];
  const at = Math.min(active, people.length - 1);

  const show = () => {
    setOpen(true);
    setActive(0);
  };
  const hide = () => {
    setOpen(false);
    setTyped('');
  };
  const choose = (person: Person | undefined) => {
    if (person === undefined) return;
    onChange({ username: person.username, name: person.name });
    hide();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' && !open) show();
    else if (event.key === 'ArrowDown') setActive(Math.min(at + 1, people.length - 1));
    else if (event.key === 'ArrowUp' && open) setActive(Math.max(at - 1, 0));
    else if (event.key === 'Enter' && open) choose(people[at]);
    else if (event.key === 'Escape' && open) hide();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const onBlur = (event: FocusEvent) => {
    if (!event.currentTarget.contains(event.relatedTarget)) hide();
  };
  return (
    <div className={css.picker} onBlur={onBlur}>
      <div className={css.field}>
        <Input
          {...control}
          role="combobox"
          autoComplete="off"
          aria-expanded={open}
          aria-controls={list}
          aria-autocomplete="list"
          aria-activedescendant={open && people.length > 0 ? `${list}-${at}` : undefined}
          placeholder={value ? shown(value) : 'Nobody'}
          value={open ? typed : value ? shown(value) : ''}
          onClick={show}
          onKeyDown={onKeyDown}
          onChange={(event) => {
            show();
            setTyped(event.target.value);
          }}
        />
        {value !== null && (
          <IconButton label={clear} onClick={() => onChange(null)}>
            <X />
          </IconButton>
        )}
      </div>
      <ul id={list} role="listbox" aria-label="People of the team" className={css.list} hidden={!open}>
        {open &&
          people.map((person, index) => (
            <li
              key={person.username}
              id={`${list}-${index}`}
              role="option"
              aria-selected={index === at}
              className={css.option}
              onMouseDown={(event) => event.preventDefault()}
              onMouseMove={() => setActive(index)}
              onClick={() => choose(person)}
            >
              <span className={css.name}>{person.name || person.username}</span>
              <span className={css.user}>{person.username}</span>
            </li>
          ))}
      </ul>
      {open && (
        <p role="status" className={css.note}>
          {query.isError ? sentenceOf(query.error) : noteOf(query.isPending, people.length, query.data?.next != null, q)}
        </p>
      )}
    </div>
  );
}

function shown(person: Person): string {
  return person.name || person.username;
}

function noteOf(pending: boolean, count: number, more: boolean, q: string): string {
  if (pending) return 'Looking for people…';
  if (count === 0) return q ? `Nobody in the team is called “${q}”.` : 'The team has no active people.';
  return more ? 'There are more: type a part of the name.' : '';
}
