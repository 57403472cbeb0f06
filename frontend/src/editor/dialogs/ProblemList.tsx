import { Button } from '../../ui/Button';
import { Notice } from '../../ui/Feedback';
import { plural } from '../../ui/format';
import { requestJump } from '../jump';
import { countsOf, placeOf, useProblems } from '../problems';
import { useEditor, useEditorStore } from '../store';
import type { Problem } from '../types';
import css from './ProblemList.module.css';

/** How many are listed here; the drawer has them all. */
const MOST = 8;

/** Errors, which keep a draft from being published, then warnings, which do not; each leads to its place. */
export function ProblemList({ onLeave }: { onLeave: () => void }) {
  const problems = useProblems();
  const { errors } = countsOf(problems);
  const listed = [...problems].sort((one, other) => one.severity.localeCompare(other.severity)).slice(0, MOST);
  if (problems.length === 0) return null;
  return (
    <Notice look={errors > 0 ? 'failed' : 'retrying'}>
      <p>
        {errors > 0
          ? `${plural(errors, 'problem')} must be solved first.`
          : `${plural(problems.length, 'warning')}: it can be published all the same.`}
      </p>
      <ul className={css.list}>
        {listed.map((problem) => (
          <ProblemRow key={`${problem.path}:${problem.code}:${problem.line}`} problem={problem} onLeave={onLeave} />
        ))}
      </ul>
      {problems.length > MOST && <p>{plural(problems.length - MOST, 'more', 'more')} in the Problems list.</p>}
    </Notice>
  );
}

function ProblemRow({ problem, onLeave }: { problem: Problem; onLeave: () => void }) {
  const store = useEditorStore();
  const model = useEditor(({ doc }) => doc.model);
  const jump = () => {
    const { key, place } = placeOf(problem, model);
    onLeave();
    store.getState().select(key === null ? [] : [key]);
    requestJump({ key, place, line: problem.line });
  };
  return (
    <li className={css.row}>
      <span className={css.words}>{problem.message}</span>
      <Button small look="quiet" onClick={jump}>
        Show
      </Button>
    </li>
  );
}
