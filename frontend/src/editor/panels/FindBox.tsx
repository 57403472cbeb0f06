import { Search, X } from 'lucide-react';
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { IconButton } from '../../ui/Button';
import { KindIcon } from '../../ui/KindIcon';
import { requestJump } from '../jump';
import { useEditor, useEditorStore } from '../store';
import css from './FindBox.module.css';
import { findTasks, type Hit } from './finding';

/** So many are listed; more letters make them fewer. */
const SHOWN = 50;

/** Finds a task by its name, title, kind, queue or any value, and goes there. */
export function FindBox({ onClose }: { onClose: () => void }) {
  const store = useEditorStore();
  const id = useId();
  const list = useRef<HTMLUListElement>(null);
  const [query, setQuery] = useState('');
  const [active, setActive] = useState(0);
  const hits = useHits(query);
  const shown = hits.slice(0, SHOWN);
  useEffect(() => {
    // Braces: some browsers answer with a promise, which an effect must not return.
    list.current?.children[active]?.scrollIntoView({ block: 'nearest' });
  }, [active]);

  const go = ({ task, place }: Hit) => {
    store.getState().select([task.key]);
    requestJump({ key: task.key, ...(place === '' ? {} : { place }) });
    onClose();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const hit = shown[active];
    if (event.key === 'ArrowDown') setActive(Math.min(active + 1, shown.length - 1));
    else if (event.key === 'ArrowUp') setActive(Math.max(active - 1, 0));
    else if (event.key === 'Enter' && hit) go(hit);
    else if (event.key === 'Escape') onClose();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div role="search" aria-label="Find in the pipeline" className={css.box}>
      <div className={css.line}>
        <Search aria-hidden size={14} />
        <input
          autoFocus
          className={css.input}
          role="combobox"
          aria-label="Find a task by name, kind, title, value or queue"
          aria-expanded={shown.length > 0}
          aria-controls={`${id}-list`}
          aria-activedescendant={shown.length > 0 ? `${id}-${active}` : undefined}
          aria-autocomplete="list"
          placeholder="Name, kind, title, value or queue"
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setActive(0);
          }}
          onKeyDown={onKeyDown}
        />
        <span role="status" className={css.count}>
          {query.trim() === '' ? '' : hits.length === 0 ? 'Nothing found' : `${hits.length} found`}
        </span>
        <IconButton label="Close find" onClick={onClose}>
          <X />
        </IconButton>
      </div>
      <ul ref={list} id={`${id}-list`} role="listbox" aria-label="Found tasks" className={css.list} hidden={shown.length === 0}>
        {shown.map((hit, index) => (
          <li
            key={hit.task.key}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === active}
            className={css.hit}
            onMouseMove={() => setActive(index)}
            onClick={() => go(hit)}
          >
            <HitText hit={hit} />
          </li>
        ))}
      </ul>
      {hits.length > SHOWN && <p className={css.more}>and {hits.length - SHOWN} more: type more letters</p>}
    </div>
  );
}

function useHits(query: string): Hit[] {
  const model = useEditor(({ doc }) => doc.model);
  return useMemo(() => (query.trim() === '' ? [] : findTasks(model, query)), [model, query]);
}

export function HitText({ hit: { task, place, value } }: { hit: Hit }) {
  return (
    <>
      <KindIcon kind={task.kind} size={14} />
      <span className={css.name}>{task.key}</span>
      <span className={css.what}>{place === '' || place === 'title' ? task.title : `${place}: ${value}`}</span>
    </>
  );
}
