import { useQuery } from '@tanstack/react-query';
import { X } from 'lucide-react';
import { useRef } from 'react';
import { queueNamesQuery } from '../api/catalogue';
import { Button } from '../ui/Button';
import { Notice } from '../ui/Feedback';
import { Input, Select } from '../ui/Fields';
import css from './QueueLimits.module.css';

export interface QueueRow {
  queue: string;
  running_tasks: string;
  weight: string;
}

interface Props {
  rows: QueueRow[];
  /** What was refused of them. */
  problem: string | null;
  onChange: (rows: QueueRow[]) => void;
}

/** What a team may have on single queues: a line for each, and one more to choose. */
export function QueueLimits({ rows, problem, onChange }: Props) {
  const { data: names = [] } = useQuery(queueNamesQuery());
  const all = useRef<HTMLFieldSetElement>(null);
  const others = names.filter((name) => !rows.some((row) => row.queue === name));
  const change = (at: number, part: Partial<QueueRow>) => onChange(rows.map((row, index) => (index === at ? { ...row, ...part } : row)));
  const remove = (at: number) => {
    onChange(rows.filter((_, index) => index !== at));
    // The button that was pressed goes with its line.
    all.current?.focus();
  };
  return (
    <fieldset ref={all} tabIndex={-1} className={css.queues}>
      <legend className={css.legend}>On single queues, within the limits above</legend>
      {rows.length > 0 && (
        <div className={`${css.row} ${css.head}`} aria-hidden>
          <span>Queue</span>
          <span>Tasks that run</span>
          <span>Share</span>
        </div>
      )}
      {rows.map((row, at) => (
        <div key={row.queue} className={css.row}>
          <span className={css.name} title={row.queue}>
            {row.queue}
          </span>
          <Input
            type="number"
            min={0}
            aria-label={`Tasks that run on ${row.queue}`}
            value={row.running_tasks}
            onChange={(event) => change(at, { running_tasks: event.target.value })}
          />
          <Input
            type="number"
            min={0}
            step="any"
            aria-label={`Share of ${row.queue}`}
            value={row.weight}
            onChange={(event) => change(at, { weight: event.target.value })}
          />
          <Button
            small
            look="quiet"
            icon={<X />}
            aria-label={`No limits of its own on ${row.queue}`}
            onClick={() => remove(at)}
          />
        </div>
      ))}
      {others.length > 0 && (
        <Select
          aria-label="Limit a queue"
          value=""
          onChange={(event) => onChange([...rows, { queue: event.target.value, running_tasks: '', weight: '' }])}
        >
          <option value="">Limit a queue …</option>
          {others.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </Select>
      )}
      {problem && <Notice>{problem}</Notice>}
    </fieldset>
  );
}
