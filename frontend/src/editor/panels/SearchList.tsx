import { useVirtualizer } from '@tanstack/react-virtual';
import { Search } from 'lucide-react';
import { useEffect, useId, useMemo, useRef, useState, type DragEvent, type KeyboardEvent, type ReactNode } from 'react';
import { cx } from '../../ui/cx';
import css from './SearchList.module.css';

/** A heading, or something to choose. */
export type Row<Item> = { readonly heading: string } | { readonly item: Item; readonly id: string };

interface Props<Item> {
  /** Accessible name and placeholder of the search box. */
  label: string;
  /** Accessible name of the list. */
  listLabel: string;
  query: string;
  onQuery: (query: string) => void;
  rows: readonly Row<Item>[];
  /** Pixels. */
  rowHeight: number;
  draw: (item: Item) => ReactNode;
  onChoose: (item: Item) => void;
  onEscape?: (() => void) | undefined;
  onDragStart?: ((event: DragEvent, item: Item) => void) | undefined;
  /** Takes the place of the list when it has no rows. */
  empty: ReactNode;
  autoFocus?: boolean;
  className?: string;
}

const HEADING_PX = 28;

/** A search box over a list: arrows move in the list while the caret stays in the box, Enter chooses. Long lists are cheap. */
export function SearchList<Item>(props: Props<Item>) {
  const { label, query, onQuery, rows, rowHeight, onChoose, onEscape } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const id = useId();
  const choices = useMemo(() => rows.flatMap((row, index) => ('id' in row ? [index] : [])), [rows]);
  const [active, setActive] = useState(0);
  useEffect(() => setActive(0), [query]);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => (rows[index] && 'heading' in rows[index] ? HEADING_PX : rowHeight),
    overscan: 8,
  });
  useEffect(() => virtual.measure(), [virtual, rows, rowHeight]);

  const at = Math.min(active, choices.length - 1);
  const move = (to: number) => {
    const next = Math.max(0, Math.min(to, choices.length - 1));
    setActive(next);
    // With the heading above the first one.
    virtual.scrollToIndex(next === 0 ? 0 : (choices[next] ?? 0));
  };
  const chosen = rows[choices[at] ?? -1];
  const choose = () => {
    if (chosen && 'item' in chosen) onChoose(chosen.item);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') move(at + 1);
    else if (event.key === 'ArrowUp') move(at - 1);
    else if (event.key === 'PageDown') move(at + 8);
    else if (event.key === 'PageUp') move(at - 8);
    else if (event.key === 'Enter') choose();
    else if (event.key === 'Escape' && (query !== '' || onEscape)) (onEscape ?? (() => onQuery('')))();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const optionId = (index: number) => `${id}-${index}`;
  return (
    <div className={cx(css.searchList, props.className)}>
      <span className={css.box}>
        <Search aria-hidden />
        <input
          autoFocus={props.autoFocus}
          type="search"
          role="combobox"
          aria-label={label}
          aria-expanded={choices.length > 0}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={at >= 0 ? optionId(choices[at] ?? 0) : undefined}
          placeholder={label}
          value={query}
          onChange={(event) => onQuery(event.target.value)}
          onKeyDown={onKeyDown}
        />
      </span>
      {choices.length === 0 && props.empty}
      <div ref={scroller} id={`${id}-list`} role="listbox" aria-label={props.listLabel} className={css.scroller} hidden={choices.length === 0}>
        <div role="presentation" className={css.list} style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start, size }) => (
            <Line
              key={index}
              {...props}
              id={optionId(index)}
              row={rows[index]}
              place={choices.indexOf(index)}
              count={choices.length}
              active={choices[at] === index}
              style={{ transform: `translateY(${start}px)`, height: size }}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

interface LineProps<Item> extends Props<Item> {
  id: string;
  row: Row<Item> | undefined;
  /** Among what can be chosen, from 0. */
  place: number;
  count: number;
  active: boolean;
  style: { transform: string; height: number };
}

function Line<Item>({ id, row, place, count, active, style, draw, onChoose, onDragStart }: LineProps<Item>) {
  if (!row) return null;
  if ('heading' in row) {
    return (
      <div role="presentation" className={css.heading} style={style}>
        {row.heading}
      </div>
    );
  }
  return (
    <div
      id={id}
      role="option"
      aria-selected={active}
      aria-posinset={place + 1}
      aria-setsize={count}
      className={css.option}
      style={style}
      draggable={onDragStart !== undefined}
      onDragStart={(event) => onDragStart?.(event, row.item)}
      // The caret stays in the search box; a draggable one must take the press itself.
      onMouseDown={(event) => onDragStart === undefined && event.preventDefault()}
      onClick={() => onChoose(row.item)}
    >
      {draw(row.item)}
    </div>
  );
}
