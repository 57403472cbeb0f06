import type { CodeLocation, Commit } from '../api/code';
import { Ago, CopyButton } from '../ui/Facts';
import css from './Code.module.css';
import { shortCommit, STATES } from './words';

/** How a location stands to what there is; before that, what is under way or keeps its tasks from running. */
export function LocationState({ location }: { location: CodeLocation }) {
  if (location.syncing) {
    return (
      <span className={css.badge} data-look="running">
        syncing
      </span>
    );
  }
  if (location.sync_error) {
    return (
      <span className={css.badge} data-look="failed" title={location.sync_error}>
        sync failed
      </span>
    );
  }
  if (location.environment?.state === 'failed') {
    return (
      <span className={css.badge} data-look="failed" title={location.environment.problem}>
        environment failed
      </span>
    );
  }
  const { word, look } = STATES[location.state];
  return (
    <span className={css.badge} data-look={look}>
      {word}
    </span>
  );
}

export function Progress({ syncing }: { syncing: NonNullable<CodeLocation['syncing']> }) {
  return (
    <div className={css.syncing}>
      <span role="status">Syncing: {syncing.words}</span>
      <div className={css.bar} role="progressbar" aria-label="Progress of the sync" aria-valuenow={syncing.per_cent} aria-valuemin={0} aria-valuemax={100}>
        <span style={{ width: `${Math.max(2, syncing.per_cent)}%` }} />
      </div>
    </div>
  );
}

/** The beginning of a commit, its subject and when it was made. */
export function CommitLine({ commit }: { commit: Commit }) {
  return (
    <span>
      <code title={commit.sha}>{shortCommit(commit.sha)}</code>
      <CopyButton text={commit.sha} label="Copy the whole commit" /> {commit.subject}
      {commit.dirty && <span className={css.soft}>, with uncommitted changes</span>}
      {commit.at && (
        <span className={css.soft}>
          , <Ago at={commit.at} />
        </span>
      )}
    </span>
  );
}
