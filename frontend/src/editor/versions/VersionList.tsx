import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { RotateCcw } from 'lucide-react';
import { versionsQuery } from '../../api/pipelines';
import type { VersionItem } from '../../api/types';
import { Listed } from '../../lists/Listed';
import { Button } from '../../ui/Button';
import { Ago, PersonName } from '../../ui/Facts';
import css from './VersionList.module.css';

interface Props {
  address: string;
  /** Absent where the person may not publish. */
  onRestore?: ((version: VersionItem) => void) | undefined;
}

/** Every version, the newest first: who made it, when, why, and what it changed. */
export function VersionList({ address, onRestore }: Props) {
  const query = useInfiniteQuery(versionsQuery(address));
  return (
    <Listed query={query} what="the versions" skeletons={3} empty={<p className={css.none}>Nothing is published yet.</p>}>
      {(versions) => (
        <ol className={css.list}>
          {versions.map((version) => (
            <VersionRow key={version.number} address={address} version={version} onRestore={onRestore} />
          ))}
        </ol>
      )}
    </Listed>
  );
}

function VersionRow({ address, version, onRestore }: Props & { version: VersionItem }) {
  const { number, active, message, created_by: by, created_at: at } = version;
  const params = { name: address };
  return (
    <li className={css.version}>
      <div className={css.head}>
        <Link to="/pipelines/$name" params={params} search={{ version: number }} className={css.number}>
          Version {number}
        </Link>
        {active && <span className={css.active}>active</span>}
      </div>
      {message && <p className={css.message}>{message}</p>}
      <p className={css.who}>
        <PersonName person={by} none="unknown" />, <Ago at={at} />
      </p>
      <div className={css.acts}>
        {number > 1 && (
          <Link to="/pipelines/$name/versions/diff" params={params} search={{ from: number - 1, to: number }}>
            Changes since {number - 1}
          </Link>
        )}
        <Link to="/pipelines/$name/versions/diff" params={params} search={{ from: number, to: 'draft' }}>
          Draft since {number}
        </Link>
        {onRestore && (
          <Button small look="quiet" icon={<RotateCcw />} aria-label={`Restore version ${number}`} onClick={() => onRestore(version)}>
            Restore
          </Button>
        )}
      </div>
    </li>
  );
}
