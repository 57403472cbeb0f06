import { Popover } from 'radix-ui';
import { useMemo, useState, type ReactNode } from 'react';
import { KindIcon } from '../../ui/KindIcon';
import type { Candidate, Source } from './references';
import { SearchList, type Row } from './SearchList';
import css from './ReferencePicker.module.css';

interface Props {
  /** "table": what the value is for. */
  label: string;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  /** Asked when it opens. */
  candidates: () => readonly Candidate[];
  onChoose: (candidate: Candidate) => void;
  /** What opens it. */
  children: ReactNode;
  /** Said when there is nothing to choose. */
  empty: string;
}

/** Chooses among what a field may refer to: outputs of tasks, parameters, inputs of the group, secrets. */
export function ReferencePicker({ label, open, onOpenChange, candidates, onChoose, children, empty }: Props) {
  return (
    <Popover.Root open={open} onOpenChange={onOpenChange}>
      <Popover.Trigger asChild>{children}</Popover.Trigger>
      <Popover.Portal>
        <Popover.Content className={css.picker} align="end" sideOffset={4} collisionPadding={8} aria-label={`Values for ${label}`}>
          <Choices
            candidates={candidates}
            empty={empty}
            onClose={() => onOpenChange(false)}
            onChoose={(candidate) => {
              onOpenChange(false);
              onChoose(candidate);
            }}
          />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

interface ChoicesProps extends Pick<Props, 'candidates' | 'onChoose' | 'empty'> {
  onClose: () => void;
}

function Choices({ candidates, onChoose, onClose, empty }: ChoicesProps) {
  const [query, setQuery] = useState('');
  const [all] = useState(candidates);
  const rows = useMemo(() => rowsOf(all, query), [all, query]);
  return (
    <SearchList
      autoFocus
      label="Search values"
      listLabel="Values"
      query={query}
      onQuery={setQuery}
      rows={rows}
      rowHeight={36}
      draw={(candidate) => <Line candidate={candidate} />}
      onChoose={onChoose}
      onEscape={onClose}
      empty={<p className={css.empty}>{all.length === 0 ? empty : `Nothing matches '${query}'.`}</p>}
    />
  );
}

export function rowsOf(candidates: readonly Candidate[], query: string): Row<Candidate>[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return candidates
    .filter(({ text, type, source }) => words.every((word) => `${text} ${type} ${WORDS[source]}`.toLowerCase().includes(word)))
    .map((item) => ({ item, id: item.text }));
}

const WORDS: Readonly<Record<Source, string>> = {
  output: 'output',
  parameter: 'parameter of the pipeline',
  input: 'input of the group',
  item: 'item of the map',
  secret: 'secret',
};

export function wordOf(source: Source, producer: string): string {
  return source === 'output' ? producer : WORDS[source];
}

function Line({ candidate: { source, producer, kind, name, type } }: { candidate: Candidate }) {
  return (
    <span className={css.line}>
      <SourceIcon source={source} kind={kind} />
      <span className={css.name}>{name}</span>
      <span className={css.from}>{wordOf(source, producer)}</span>
      <span className={css.type}>{type}</span>
    </span>
  );
}

export function SourceIcon({ source, kind }: { source: Source; kind: string }) {
  return <KindIcon kind={source === 'output' ? kind : source} size={14} />;
}
