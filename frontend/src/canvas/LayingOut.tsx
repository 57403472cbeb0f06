import css from './LayingOut.module.css';

/** Where a canvas will be, while a large drawing is laid out. */
export function LayingOut({ count }: { count: number }) {
  return (
    <div className={css.waiting} role="status">
      Laying out {count.toLocaleString('en')} boxes…
    </div>
  );
}
