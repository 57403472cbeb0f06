import { useVirtualizer } from '@tanstack/react-virtual';
import { useId, useMemo, useRef, useState, type KeyboardEvent, type MouseEvent } from 'react';
import { SearchBox } from '../../ui/Fields';
import { requestJump } from '../jump';
import { useEditor, useEditorStore } from '../store';
import type { Problem } from '../types';
import { unreadable } from '../unreadable';
import css from './Outline.module.css';
import { GroupDialog } from './outline/GroupDialog';
import { LinkDialog } from './outline/LinkDialog';
import { MoveDialog } from './outline/MoveDialog';
import { OutlineRow } from './outline/OutlineRow';
import { rowsOf } from './outline/rows';

const ROW_PX = 28;

/** What a row asks for; `rename` is done in the row, the others in a dialog. */
export interface Asked {
  readonly what: 'rename' | 'link' | 'group' | 'move';
  readonly key: string;
}

/** The tasks as a tree: everything that the canvas can do, without a pointer. Arrows move, Enter opens the form, F2 renames. */
export function Outline() {
  const store = useEditorStore();
  const model = useEditor(({ doc }) => doc.model);
  const folded = useEditor((state) => state.folded);
  const selection = useEditor((state) => state.selection);
  const [filter, setFilter] = useState('');
  const [active, setActive] = useState<string | null>(null);
  const [asked, setAsked] = useState<Asked | null>(null);
  const tree = useRef<HTMLDivElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const id = useId();
  const unread = useEditor(({ doc }) => unreadable(doc));
  const rows = useMemo(() => rowsOf(model, folded, filter), [model, folded, filter]);
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => ROW_PX, overscan: 10 });

  const [only] = selection;
  const wanted = active !== null && model.tasks.has(active) ? active : (only ?? null);
  const at = Math.max(rows.findIndex(({ task }) => task.key === wanted), 0);
  const current = rows[at];

  const go = (index: number, extend = false) => {
    const row = rows[Math.max(0, Math.min(index, rows.length - 1))];
    if (!row) return;
    setActive(row.task.key);
    virtual.scrollToIndex(rows.indexOf(row));
    store.getState().select(extend ? new Set([...selection, row.task.key]) : [row.task.key]);
  };
  const toggle = (key: string) => {
    setActive(key);
    const without = [...selection].filter((each) => each !== key);
    store.getState().select(selection.has(key) ? without : [...selection, key]);
  };
  const close = () => {
    setAsked(null);
    // After what had the focus is gone.
    setTimeout(() => tree.current?.focus());
  };

  /** A gesture on one of the selected tasks is one on all of them. */
  const together = (key: string) => (selection.has(key) ? [...selection].filter((id) => model.tasks.has(id)) : [key]);
  const inward = () => (current?.expanded === false ? store.getState().fold(current.task.key, false) : current?.expanded && go(at + 1));
  const outward = () => {
    if (current?.expanded) store.getState().fold(current.task.key, true);
    else if (current) go(rows.findIndex(({ task }) => task.key === current.task.parent));
  };
  const hands: Record<string, (event: KeyboardEvent) => unknown> = {
    ArrowDown: ({ shiftKey }) => go(at + 1, shiftKey),
    ArrowUp: ({ shiftKey }) => go(at - 1, shiftKey),
    ArrowRight: inward,
    ArrowLeft: outward,
    Home: () => go(0),
    End: () => go(rows.length - 1),
    Enter: () => current && requestJump({ key: current.task.key }),
    F2: () => current && setAsked({ what: 'rename', key: current.task.key }),
    l: () => current && setAsked({ what: 'link', key: current.task.key }),
    ' ': () => current && toggle(current.task.key),
    ContextMenu: () => current && openMenu(tree.current, current.task.key),
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const hand = event.target === tree.current && !event.ctrlKey && !event.metaKey && !event.altKey ? hands[event.key] : undefined;
    if (!hand) return;
    event.preventDefault();
    event.stopPropagation();
    hand(event);
  };
  const onPress = (key: string) => (event: MouseEvent) => {
    tree.current?.focus();
    if (event.ctrlKey || event.metaKey) {
      toggle(key);
      return;
    }
    setActive(key);
    store.getState().select(event.shiftKey ? [...selection, key] : [key]);
  };

  return (
    <div className={css.outline} data-tasks>
      <SearchBox label="Filter tasks" value={filter} onChange={setFilter} className={css.filter} />
      {rows.length === 0 && <p className={css.words}>{nothingIn(filter, unread)}</p>}
      <div ref={scroller} className={css.scroller} hidden={rows.length === 0}>
        <div
          ref={tree}
          role="tree"
          aria-label="Tasks"
          aria-multiselectable
          aria-activedescendant={current ? `${id}-${current.task.key}` : undefined}
          tabIndex={0}
          className={css.tree}
          style={{ height: virtual.getTotalSize() }}
          onKeyDown={onKeyDown}
        >
          {virtual.getVirtualItems().map(({ index, start }) => {
            const row = rows[index];
            return (
              row && (
                <OutlineRow
                  key={row.task.key}
                  id={`${id}-${row.task.key}`}
                  row={row}
                  active={index === at}
                  selected={selection.has(row.task.key)}
                  renaming={asked?.what === 'rename' && asked.key === row.task.key}
                  top={start}
                  onPress={onPress(row.task.key)}
                  onAsk={setAsked}
                  onDone={close}
                />
              )
            );
          })}
        </div>
      </div>
      {asked?.what === 'link' && <LinkDialog from={asked.key} onClose={close} />}
      {asked?.what === 'group' && <GroupDialog tasks={together(asked.key)} onClose={close} />}
      {asked?.what === 'move' && <MoveDialog tasks={together(asked.key)} onClose={close} />}
    </div>
  );
}

function nothingIn(filter: string, unread: Problem | null): string {
  if (unread) return `No tasks to show: the YAML cannot be read in line ${unread.line}.`;
  return filter === '' ? 'No tasks yet: add one from the palette.' : `Nothing matches '${filter}'.`;
}

function openMenu(tree: HTMLElement | null, key: string): void {
  const button = tree?.querySelector<HTMLElement>(`[data-menu="${CSS.escape(key)}"]`);
  button?.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
}
