import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual';
import { CircleAlert, CircleCheck, TriangleAlert, X } from 'lucide-react';
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { IconButton } from '../../ui/Button';
import { SearchBox } from '../../ui/Fields';
import { Segments } from '../../ui/Segments';
import { goToProblem } from '../jump';
import { useStage } from '../page/stage';
import { countsOf, placeOf, useProblems, type Counts } from '../problems';
import { useEditor, useEditorStore } from '../store';
import type { Model, Problem } from '../types';
import css from './ProblemsDrawer.module.css';

/** Beyond so many a person looks for one instead of reading all. */
const MANY = 10;
/** Pixels of a row whose message takes one line. */
const ROW = 28;
/** Milliseconds without a change before the count is said aloud. */
const QUIET = 1500;

type Severity = 'all' | 'error' | 'warning';

interface Row {
  problem: Problem;
  task: string;
  place: string;
}

/** What is wrong, errors first; Enter or a click goes where it can be put right. */
export function ProblemsDrawer() {
  const stage = useStage();
  const problems = useProblems();
  const counts = useMemo(() => countsOf(problems), [problems]);
  const judged = useEditor((state) => state.judged !== null);
  const [severity, setSeverity] = useState<Severity>('all');
  const [wanted, setWanted] = useState('');
  const filtered = problems.length > MANY;
  const rows = useRows(problems, filtered ? severity : 'all', filtered ? wanted : '');
  const drawer = useRef<HTMLElement>(null);
  // Whoever opens the drawer wants to go on in it, as soon as its rows are there.
  useEffect(() => {
    const frame = requestAnimationFrame(() => drawer.current?.querySelector<HTMLElement>('[role="option"]')?.focus());
    return () => cancelAnimationFrame(frame);
  }, []);
  return (
    <section ref={drawer} className={css.drawer} aria-label="Problems">
      <header className={css.head}>
        <h2>Problems</h2>
        <span className={css.count}>{problems.length > 0 && sentenceOf(counts)}</span>
        {filtered && (
          <>
            <Segments label="Severity" value={severity} items={severitiesOf(counts)} onChange={setSeverity} />
            <SearchBox label="Filter problems" value={wanted} onChange={setWanted} className={css.search} />
          </>
        )}
        <span className={css.space} />
        <IconButton label="Close problems" onClick={() => stage.open('problems')}>
          <X />
        </IconButton>
      </header>
      {rows.length > 0 ? <List rows={rows} /> : <Nothing none={problems.length === 0} judged={judged} />}
      {judged && <Announced counts={counts} />}
    </section>
  );
}

function useRows(problems: readonly Problem[], severity: Severity, wanted: string): Row[] {
  const model = useEditor(({ doc }) => doc.model);
  return useMemo(() => {
    const word = wanted.trim().toLowerCase();
    const rows = problems.filter((problem) => severity === 'all' || problem.severity === severity).map((problem) => rowOf(problem, model));
    const found = rows.filter(({ problem, task, place }) => `${task} ${place} ${problem.message}`.toLowerCase().includes(word));
    return [...found.filter(isError), ...found.filter((row) => !isError(row))];
  }, [problems, model, severity, wanted]);
}

function rowOf(problem: Problem, model: Model): Row {
  const { key, place } = placeOf(problem, model);
  return { problem, task: key ?? 'Pipeline', place };
}

function isError({ problem }: Row): boolean {
  return problem.severity === 'error';
}

function severitiesOf({ errors, warnings }: Counts): { value: Severity; label: string }[] {
  return [
    { value: 'all', label: `All ${errors + warnings}` },
    { value: 'error', label: `Errors ${errors}` },
    { value: 'warning', label: `Warnings ${warnings}` },
  ];
}

function sentenceOf({ errors, warnings }: Counts): string {
  const parts = [counted(errors, 'error'), counted(warnings, 'warning')].filter(Boolean);
  return parts.length === 0 ? 'No problems' : parts.join(', ');
}

function counted(count: number, word: string): string {
  return count === 0 ? '' : `${count} ${word}${count === 1 ? '' : 's'}`;
}

// --- the list -------------------------------------------------------------------------------------------------

function List({ rows }: { rows: Row[] }) {
  const store = useEditorStore();
  const id = useId();
  const scroll = useRef<HTMLDivElement>(null);
  const [chosen, setChosen] = useState(0);
  const active = Math.min(chosen, rows.length - 1);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW,
    overscan: 10,
    // The active one stays in the page, so that it keeps the focus.
    rangeExtractor: (range) => [...new Set([...defaultRangeExtractor(range), active])].sort((one, other) => one - other),
  });
  const optionOf = (index: number) => `${id}-${index}`;
  useEffect(() => {
    if (scroll.current?.contains(document.activeElement)) document.getElementById(`${id}-${active}`)?.focus();
  }, [active, id]);

  const onKeyDown = (event: KeyboardEvent) => {
    const row = rows[active];
    const next = stepOf(event.key, active, rows.length);
    if (next !== null) {
      setChosen(next);
      virtual.scrollToIndex(next);
    } else if ((event.key === 'Enter' || event.key === ' ') && row) goToProblem(store, row.problem);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div ref={scroll} className={css.scroll}>
      <div role="listbox" aria-label="Problems" className={css.list} style={{ height: virtual.getTotalSize() }} onKeyDown={onKeyDown}>
        {virtual.getVirtualItems().map(({ index, start, key }) => {
          const row = rows[index];
          if (!row) return null;
          return (
            <div
              key={key}
              id={optionOf(index)}
              ref={virtual.measureElement}
              data-index={index}
              role="option"
              aria-selected={index === active}
              aria-posinset={index + 1}
              aria-setsize={rows.length}
              tabIndex={index === active ? 0 : -1}
              className={css.row}
              style={{ transform: `translateY(${start}px)` }}
              onFocus={() => setChosen(index)}
              onClick={() => goToProblem(store, row.problem)}
            >
              <RowText row={row} />
            </div>
          );
        })}
      </div>
    </div>
  );
}

function stepOf(key: string, at: number, count: number): number | null {
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: count - 1, PageDown: at + 10, PageUp: at - 10 }[key];
  return to === undefined ? null : Math.min(Math.max(to, 0), count - 1);
}

function RowText({ row: { problem, task, place } }: { row: Row }) {
  const error = problem.severity === 'error';
  return (
    <>
      <span className={css.icon} data-look={error ? 'failed' : 'retrying'}>
        {error ? <CircleAlert aria-hidden size={14} /> : <TriangleAlert aria-hidden size={14} />}
        <span className="visually-hidden">{error ? 'Error' : 'Warning'}</span>
      </span>
      <span className={css.task} title={task}>
        {task}
      </span>
      <span className={css.message}>{problem.message}</span>
      <span className={css.place}>
        {place} {problem.line > 0 && <span className="tabular">line {problem.line}</span>}
      </span>
    </>
  );
}

/** That nothing is wrong is said only once the server has said so. */
function Nothing({ none, judged }: { none: boolean; judged: boolean }) {
  const words = judged ? 'No problems' : 'Not checked yet: waiting for the server.';
  return (
    <p className={css.nothing}>
      {none && judged && <CircleCheck aria-hidden size={16} />}
      {none ? words : 'No problem matches this filter.'}
    </p>
  );
}

/** Says the count once it has not changed for a while: typing changes it all the time. */
function Announced({ counts }: { counts: Counts }) {
  const sentence = sentenceOf(counts);
  const [said, setSaid] = useState(sentence);
  useEffect(() => {
    const timer = setTimeout(() => setSaid(sentence), QUIET);
    return () => clearTimeout(timer);
  }, [sentence]);
  return (
    <p role="status" className="visually-hidden">
      {said}
    </p>
  );
}
