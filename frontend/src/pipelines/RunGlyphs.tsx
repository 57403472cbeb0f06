import { Link, useNavigate } from '@tanstack/react-router';
import type { MouseEvent } from 'react';
import { addressOf } from '../api/pipelines';
import type { Pipeline, RunGlyph } from '../api/types';
import { formatDuration, formatShortDateTime, plural } from '../ui/format';
import { StateGlyph } from '../ui/StateGlyph';
import { lookOf } from '../ui/states';
import css from './RunGlyphs.module.css';

/**
 * The last runs, oldest on the left. The strip is one link to the list of runs, large enough for every hand;
 * a click on a glyph goes to that run. `asking`: the ids of the runs that wait for a person.
 */
export function RunGlyphs({ pipeline, asking }: { pipeline: Pipeline; asking: ReadonlySet<string> }) {
  const runs = pipeline.last_runs.map((run) => (asking.has(run.id) ? { ...run, state: 'awaiting_approval' } : run));
  const navigate = useNavigate();
  const onClick = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    const id = (event.target as Element).closest<HTMLElement>('[data-run]')?.dataset.run;
    if (id === undefined) return;
    event.preventDefault();
    void navigate({ to: '/runs/$runId', params: { runId: id } });
  };
  if (runs.length === 0) return <span className={css.none}>no runs yet</span>;
  return (
    <Link
      to="/runs"
      search={{ pipeline: addressOf(pipeline) }}
      className={css.glyphs}
      aria-label={`Runs of ${pipeline.name}, ${summary(runs)}`}
      onClick={onClick}
    >
      {[...runs].reverse().map((run) => (
        <span key={run.id} data-run={run.id} className={css.glyph} title={titleOf(run)}>
          <StateGlyph state={run.state} size={12} />
        </span>
      ))}
    </Link>
  );
}

/** "the last 20: 15 succeeded, 4 failed, 1 running". */
function summary(runs: readonly RunGlyph[]): string {
  const counts = new Map<string, number>();
  for (const { state } of runs) counts.set(lookOf(state).word, (counts.get(lookOf(state).word) ?? 0) + 1);
  const words = [...counts].sort((a, b) => b[1] - a[1]).map(([word, count]) => `${count} ${word.toLowerCase()}`);
  return `the last ${plural(runs.length, 'run')}: ${words.join(', ')}`;
}

function titleOf(run: RunGlyph): string {
  const took =
    run.started_at !== null && run.finished_at !== null
      ? `, took ${formatDuration(Date.parse(run.finished_at) - Date.parse(run.started_at))}`
      : '';
  return `Run ${run.number}: ${lookOf(run.state).word}, ${formatShortDateTime(run.created_at)}${took}`;
}
