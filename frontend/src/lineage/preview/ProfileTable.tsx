import { useQuery } from '@tanstack/react-query';
import { profileQuery } from '../../api/artifacts';
import { Problem, sentenceOf } from '../../api/problem';
import type { ColumnProfile, Json, TableProfile } from '../../api/types';
import { cx } from '../../ui/cx';
import { ErrorState, SkeletonRows } from '../../ui/Feedback';
import { formatCount, formatShare, plural } from '../../ui/format';
import { cellText, fullText } from './cells';
import { Histogram } from './Histogram';
import css from './Tables.module.css';

/** What is in each column of a table: made by the server when somebody asks. */
export function ProfileTable({ artifact, path, name }: { artifact: string; path: string | undefined; name: string }) {
  const query = useQuery(profileQuery(artifact, path));
  if (query.isPending) return <SkeletonRows label="Looking at every column" />;
  if (query.isError) {
    return (
      <ErrorState
        title="The profile could not be made."
        detail={sentenceOf(query.error)}
        offline={query.error instanceof Problem && query.error.unreachable}
        onRetry={() => void query.refetch()}
      />
    );
  }
  if (query.data.kind === 'none') return <p className={css.note}>{query.data.reason}</p>;
  return <Columns profile={query.data} name={name} />;
}

type Profile = Extract<TableProfile, { kind: 'table' }>;

function Columns({ profile, name }: { profile: Profile; name: string }) {
  return (
    <>
      <p className={css.note}>{partOf(profile)}</p>
      <div className={css.scroller} tabIndex={0} role="region" aria-label={`Profile of ${name}`}>
        <table className={cx(css.table, css.profile)}>
          <thead>
            <tr>
              <th scope="col" className={css.column}>
                Column
              </th>
              <th scope="col">Values</th>
              <th scope="col" className={css.right}>
                Empty
              </th>
              <th scope="col" className={css.right}>
                Different
              </th>
              <th scope="col" className={css.right}>
                Least
              </th>
              <th scope="col" className={css.right}>
                Median
              </th>
              <th scope="col" className={css.right}>
                Mean
              </th>
              <th scope="col" className={css.right}>
                Greatest
              </th>
            </tr>
          </thead>
          <tbody>
            {profile.columns.map((column) => (
              <Row key={column.name} column={column} rows={profile.rows} />
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Row({ column, rows }: { column: ColumnProfile; rows: number }) {
  const { nulls, distinct, min, max, mean, quartiles } = column;
  return (
    <tr>
      <th scope="row" className={css.column}>
        <span className={css.name} title={column.name}>
          {column.name}
        </span>
        <span className={css.type} title={column.type}>
          {column.type.toLowerCase()}
        </span>
      </th>
      <td>
        <Values column={column} rows={rows} />
      </td>
      <td className={css.right}>{nulls === 0 ? <span className={css.share}>none</span> : `${formatCount(nulls)} (${formatShare(nulls / rows)})`}</td>
      <td className={css.right}>{distinct === null ? '–' : formatCount(distinct)}</td>
      <Figure value={min} />
      <Figure value={quartiles?.[1]} />
      <Figure value={mean} title={column.std === undefined || column.std === null ? undefined : `Standard deviation ${cellText(column.std)}`} />
      <Figure value={max} />
    </tr>
  );
}

function Figure({ value, title }: { value: Json | undefined; title?: string | undefined }) {
  const text = value === undefined || value === null ? '–' : cellText(value);
  return (
    <td className={css.right} title={title ?? (value === undefined || value === null ? undefined : fullText(value))}>
      {text}
    </td>
  );
}

/** How the values lie: a histogram, the commonest of them, or what little there is to say. */
function Values({ column, rows }: { column: ColumnProfile; rows: number }) {
  const { histogram, top, distinct, nulls, lengths, not_finite: odd } = column;
  const said = odd ? `, ${formatCount(odd)} not finite` : '';
  if (histogram) return <Histogram {...histogram} name={column.name + said} />;
  if (top.length > 0) {
    return (
      <ul className={css.top}>
        {top.slice(0, 2).map(({ value, count }) => (
          <li key={fullText(value)} title={`${cellText(value)}: ${plural(count, 'row')}`}>
            <span className={css.value}>{value === '' ? 'empty text' : cellText(value)}</span>
            <span className={css.share}>{formatShare(count / rows)}</span>
          </li>
        ))}
      </ul>
    );
  }
  if (nulls === rows) return <span className={css.share}>all empty</span>;
  if (distinct === null) return <span className={css.share}>not looked into</span>;
  return <span className={css.share}>{lengths ? `all different, ${lengthsOf(lengths)}` : 'all different'}</span>;
}

function lengthsOf([shortest, longest]: number[]): string {
  return shortest === longest ? plural(longest ?? 0, 'character') : `${formatCount(shortest ?? 0)} to ${plural(longest ?? 0, 'character')}`;
}

function partOf({ whole, rows, row_count: count, columns, columns_total: total }: Profile): string {
  const ofRows = whole
    ? `All ${plural(rows, 'row')}`
    : `The first ${plural(rows, 'row')}${count === null ? '' : ` of ${formatCount(count)}`}; the others were not looked at`;
  const ofColumns = columns.length < total ? `. The first ${formatCount(columns.length)} of ${plural(total, 'column')}` : '';
  return `${ofRows}${ofColumns}.`;
}
