import { useInfiniteQuery } from '@tanstack/react-query';
import { Search } from 'lucide-react';
import { useId, useState } from 'react';
import { addressOf, pipelinesQuery } from '../api/pipelines';
import { Input } from '../ui/Fields';
import { useDelayed } from '../ui/useDelayed';
import css from './RunsPage.module.css';

interface Props {
  /** "team:name", or undefined for all. */
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}

/** Names a pipeline, with suggestions while one types; only a pipeline that exists is ever passed on. */
export function PipelinePicker({ value, onChange }: Props) {
  const [wanted, setWanted] = useState(value ?? '');
  const [text, setText] = useDelayed(wanted, setWanted);
  const [shown, setShown] = useState(value);
  const list = useId();
  const query = useInfiniteQuery(pipelinesQuery(wanted === '' ? {} : { q: wanted.split(':').at(-1) ?? '' }));
  const names = query.data?.pages.flatMap((page) => page.results).map(addressOf) ?? [];
  if (value !== shown) {
    setShown(value);
    setWanted(value ?? '');
  }
  const type = (next: string) => {
    setText(next);
    if (next === '') onChange(undefined);
    else if (names.includes(next)) onChange(next);
  };
  return (
    <form
      className={css.picker}
      onSubmit={(event) => {
        event.preventDefault();
        const [first] = names;
        if (text !== '' && first !== undefined) onChange(first);
      }}
    >
      <Search aria-hidden />
      <Input
        type="search"
        list={list}
        aria-label="Pipeline"
        placeholder="All pipelines"
        value={text}
        onChange={(event) => type(event.target.value)}
      />
      <datalist id={list}>
        {names.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </form>
  );
}
