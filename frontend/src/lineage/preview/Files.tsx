import { useInfiniteQuery } from '@tanstack/react-query';
import { entriesQuery } from '../../api/artifacts';
import { sentenceOf } from '../../api/problem';
import type { Entry } from '../../api/types';
import { cx } from '../../ui/cx';
import { ErrorState, SkeletonRows } from '../../ui/Feedback';
import { SearchBox } from '../../ui/Fields';
import { formatBytes, formatCount } from '../../ui/format';
import { More } from '../../ui/More';
import table from '../../ui/Table.module.css';
import { useDelayed } from '../../ui/useDelayed';
import css from './Preview.module.css';

interface Props {
  artifact: string;
  /** Files of the folder in all, as far as they are known. */
  count: number | null;
  q: string;
  onSearch: (q: string) => void;
  onOpen: (path: string) => void;
}

/** The files of a folder, page by page; each can be looked into. */
export function Files({ artifact, count, q, onSearch, onOpen }: Props) {
  const [typed, setTyped] = useDelayed(q, onSearch);
  const query = useInfiniteQuery(entriesQuery(artifact, q.trim()));
  const entries = query.data?.pages.flatMap((page) => page.results) ?? [];
  return (
    <>
      <div className={css.bar}>
        <SearchBox label="Find a file" value={typed} onChange={setTyped} />
        {count !== null && <span className={css.soft}>{formatCount(count)} files</span>}
      </div>
      {query.isPending && <SkeletonRows label="Loading the files" />}
      {query.isError && !query.data && (
        <ErrorState title="The files could not be listed." detail={sentenceOf(query.error)} onRetry={() => void query.refetch()} />
      )}
      {query.data && entries.length === 0 && (
        <p className={css.none}>{q ? `No file has “${q}” in its path.` : 'The folder is empty.'}</p>
      )}
      {entries.length > 0 && (
        <div className={css.files} tabIndex={0} role="region" aria-label="Files">
          <table className={cx(table.table, table.dense)}>
            <thead>
              <tr>
                <th>Path</th>
                <th className={table.right}>Size</th>
              </tr>
            </thead>
            <tbody>
              {entries.map((entry) => (
                <FileRow key={entry.path} entry={entry} onOpen={onOpen} />
              ))}
            </tbody>
          </table>
          <More
            has={query.hasNextPage}
            busy={query.isFetchingNextPage}
            onMore={() => void query.fetchNextPage()}
            problem={query.isFetchNextPageError ? sentenceOf(query.error) : null}
          />
        </div>
      )}
    </>
  );
}

function FileRow({ entry, onOpen }: { entry: Entry; onOpen: (path: string) => void }) {
  if (entry.link !== null) {
    return (
      <tr>
        <td>
          {entry.path} <span className={table.muted}>→ {entry.link}</span>
        </td>
        <td className={cx(table.right, table.muted)}>link</td>
      </tr>
    );
  }
  return (
    <tr>
      <td>
        <button type="button" className={css.open} onClick={() => onOpen(entry.path)}>
          {entry.path}
        </button>
      </td>
      <td className={cx(table.right, table.nowrap)}>{formatBytes(entry.size)}</td>
    </tr>
  );
}
