import { memo } from 'react';
import type { Column, Json, TablePreview } from '../../api/types';
import { cx } from '../../ui/cx';
import { formatCount, plural } from '../../ui/format';
import { cellText, fullText, isNumeric } from './cells';
import css from './Tables.module.css';

/** The first rows of a table; it scrolls inside, its head and the numbers of its rows stay. */
export const TableRows = memo(function TableRows({ table, name }: { table: TablePreview; name: string }) {
  const numeric = table.columns.map((column) => isNumeric(column.type));
  return (
    <>
      <p className={css.note}>{partOf(table)}</p>
      <div className={css.scroller} tabIndex={0} role="region" aria-label={`Rows of ${name}`}>
        <table className={css.table}>
          <thead>
            <tr>
              <th className={css.number} aria-label="Row" />
              {table.columns.map((column, at) => (
                <Head key={column.name} column={column} right={numeric[at] === true} />
              ))}
            </tr>
          </thead>
          <tbody>
            {table.rows.map((row, at) => (
              <tr key={at}>
                <th className={css.number} scope="row">
                  {formatCount(at + 1)}
                </th>
                {row.map((value, column) => (
                  <Cell key={column} value={value} right={numeric[column] === true} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {table.rows.length === 0 && <p className={css.note}>The table has no rows.</p>}
    </>
  );
});

function Head({ column, right }: { column: Column; right: boolean }) {
  return (
    <th scope="col" className={cx(right && css.right)}>
      <span className={css.name} title={column.name}>
        {column.name}
      </span>
      <span className={css.type} title={column.type}>
        {column.type.toLowerCase()}
      </span>
    </th>
  );
}

export function Cell({ value, right }: { value: Json; right: boolean }) {
  const text = cellText(value);
  const full = fullText(value);
  const missing = value === null || value === '';
  return (
    <td className={cx(right && css.right, missing && css.missing)} title={text === full && text.length < 24 ? undefined : full}>
      {value === '' ? 'empty' : text}
    </td>
  );
}

function partOf({ rows, row_count: count, columns, columns_total: total }: TablePreview): string {
  const all = count !== null && count <= rows.length;
  const ofRows = all ? plural(rows.length, 'row') : `The first ${plural(rows.length, 'row')}${count === null ? '' : ` of ${formatCount(count)}`}`;
  const ofColumns = columns.length < total ? `the first ${formatCount(columns.length)} of ${plural(total, 'column')}` : plural(total, 'column');
  return `${ofRows}, ${ofColumns}`;
}
