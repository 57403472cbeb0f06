import type { ArrayPreview } from '../../api/types';
import { Fact, Facts } from '../../ui/Facts';
import { formatCount, plural } from '../../ui/format';
import { cellText } from './cells';
import css from './Preview.module.css';
import { Cell } from './TableRows';
import tables from './Tables.module.css';

/** Shape and type of an array, its bounds and its upper left corner, as far as it could be read without opening a pickle. */
export function ArrayView({ array, name }: { array: ArrayPreview; name: string }) {
  const { shape, dtype, objects, summary, values } = array;
  return (
    <>
      <div className={css.pad}>
        <Facts>
          <Fact name="Shape">{shape.length === 0 ? 'a single value' : shape.map(formatCount).join(' × ')}</Fact>
          <Fact name="Type">
            <code>{dtype}</code>
          </Fact>
          {summary && (
            <>
              <Fact name="Least">{cellText(summary.min)}</Fact>
              <Fact name="Mean">{cellText(summary.mean)}</Fact>
              <Fact name="Greatest">{cellText(summary.max)}</Fact>
              {summary.not_finite > 0 && <Fact name="Not finite">{plural(summary.not_finite, 'value')}, left out above</Fact>}
            </>
          )}
        </Facts>
        {objects && <p className={css.soft}>It holds Python objects, which stay closed: opening them runs code.</p>}
      </div>
      {values && (
        <div className={tables.scroller} tabIndex={0} role="region" aria-label={`First values of ${name}`}>
          <table className={tables.table}>
            <tbody>
              {values.map((row, at) => (
                <tr key={at}>
                  <th scope="row" className={tables.number}>
                    {at}
                  </th>
                  {row.map((value, column) => (
                    <Cell key={column} value={value} right />
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
