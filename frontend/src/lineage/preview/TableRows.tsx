import { useVirtualizer, type VirtualItem } from '@tanstack/react-virtual';
import { memo, useMemo, useRef } from 'react';
import type { Column, Json, TablePreview } from '../../api/types';
import { cx } from '../../ui/cx';
import { formatCount, plural } from '../../ui/format';
import { cellText, fullText, isNumeric } from './cells';
import css from './Tables.module.css';

/** Of the column with the numbers of the rows, which always stays. Pixels. */
const NUMBERS = 48;
const WIDTH = { least: 56, most: 280, letter: 7, around: 18 };

interface Props {
  table: TablePreview;
  name: string;
}

/** The first rows of a table; it scrolls inside, its head and the numbers of its rows stay. Only columns in view are mounted. */
export const TableRows = memo(function TableRows({ table, name }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const widths = useMemo(() => table.columns.map((column, at) => widthOf(column, table.rows, at)), [table]);
  const virtual = useVirtualizer({
    horizontal: true,
    count: widths.length,
    getScrollElement: () => scroller.current,
    estimateSize: (at) => widths[at] ?? WIDTH.least,
    paddingStart: NUMBERS,
    overscan: 4,
  });
  const shown = virtual.getVirtualItems();
  const before = (shown[0]?.start ?? NUMBERS) - NUMBERS;
  return (
    <>
      <p className={css.note}>{partOf(table)}</p>
      <div ref={scroller} className={css.scroller} tabIndex={0} role="region" aria-label={`Rows of ${name}`}>
        <table className={cx(css.table, css.fixed)} style={{ width: virtual.getTotalSize() }} aria-colcount={table.columns.length + 1}>
          <colgroup>
            <col style={{ width: NUMBERS }} />
            {before > 0 && <col style={{ width: before }} />}
            {shown.map((item) => (
              <col key={item.key} style={{ width: item.size }} />
            ))}
            <col />
          </colgroup>
          <thead>
            <tr>
              <th className={css.number} aria-label="Row" aria-colindex={1} />
              {before > 0 && <td />}
              {shown.map(({ index }) => (
                <Head key={index} column={table.columns[index]} at={index} />
              ))}
              <td />
            </tr>
          </thead>
          <tbody>
            {table.rows.map((row, at) => (
              <Row key={at} number={at + 1} row={row} columns={table.columns} shown={shown} before={before > 0} />
            ))}
          </tbody>
        </table>
      </div>
      {table.rows.length === 0 && <p className={css.note}>The table has no rows.</p>}
    </>
  );
});

interface RowProps {
  number: number;
  row: Json[];
  columns: Column[];
  shown: VirtualItem[];
  /** Whether columns to the left are left out. */
  before: boolean;
}

function Row({ number, row, columns, shown, before }: RowProps) {
  return (
    <tr>
      <th className={css.number} scope="row" aria-colindex={1}>
        {formatCount(number)}
      </th>
      {before && <td />}
      {shown.map(({ index }) => (
        <Cell key={index} value={row[index] ?? null} right={isNumeric(columns[index]?.type ?? '')} at={index} />
      ))}
      <td />
    </tr>
  );
}

function Head({ column, at }: { column: Column | undefined; at: number }) {
  const { name = '', type = '' } = column ?? {};
  return (
    <th scope="col" className={cx(isNumeric(type) && css.right)} aria-colindex={at + 2}>
      <span className={css.name} title={name}>
        {name}
      </span>
      <span className={css.type} title={type}>
        {type.toLowerCase()}
      </span>
    </th>
  );
}

interface CellProps {
  value: Json;
  right: boolean;
  /** Index of its column, where some are left out. */
  at?: number;
}

/** Kept while it stays in view, as scrolling draws all rows again. */
export const Cell = memo(function Cell({ value, right, at }: CellProps) {
  const text = cellText(value);
  const full = fullText(value);
  const missing = value === null || value === '';
  return (
    <td
      className={cx(right && css.right, missing && css.missing)}
      title={text === full && text.length < 24 ? undefined : full}
      aria-colindex={at === undefined ? undefined : at + 2}
    >
      {value === '' ? 'empty' : text}
    </td>
  );
});

/** Room for the longest value that is shown, and for the name. */
function widthOf({ name, type }: Column, rows: readonly Json[][], at: number): number {
  const letters = rows.reduce((most, row) => Math.max(most, cellText(row[at] ?? null).length), Math.max(name.length, type.length));
  return Math.min(Math.max(letters * WIDTH.letter + WIDTH.around, WIDTH.least), WIDTH.most);
}

function partOf({ rows, row_count: count, columns, columns_total: total }: TablePreview): string {
  const all = count !== null && count <= rows.length;
  const ofRows = all ? plural(rows.length, 'row') : `The first ${plural(rows.length, 'row')}${count === null ? '' : ` of ${formatCount(count)}`}`;
  const ofColumns = columns.length < total ? `the first ${formatCount(columns.length)} of ${plural(total, 'column')}` : plural(total, 'column');
  return `${ofRows}, ${ofColumns}`;
}
