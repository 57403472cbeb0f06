import { Link } from '@tanstack/react-router';
import type { RunGlyph } from '../api/types';
import { formatDuration, formatShortDateTime } from '../ui/format';
import { StateGlyph } from '../ui/StateGlyph';
import { lookOf } from '../ui/states';
import css from './RunGlyphs.module.css';

/** The last runs, oldest on the left, each a link. */
export function RunGlyphs({ runs }: { runs: readonly RunGlyph[] }) {
  if (runs.length === 0) return <span className={css.none}>no runs yet</span>;
  return (
    <ol className={css.glyphs}>
      {[...runs].reverse().map((run) => (
        <li key={run.id}>
          <Link to="/runs/$runId" params={{ runId: run.id }} className={css.link} title={titleOf(run)}>
            <StateGlyph state={run.state} size={12} label={`Run ${run.number}: ${lookOf(run.state).word}`} />
          </Link>
        </li>
      ))}
    </ol>
  );
}

function titleOf(run: RunGlyph): string {
  const took =
    run.started_at !== null && run.finished_at !== null
      ? `, took ${formatDuration(Date.parse(run.finished_at) - Date.parse(run.started_at))}`
      : '';
  return `Run ${run.number}: ${lookOf(run.state).word}, ${formatShortDateTime(run.created_at)}${took}`;
}
