import { useQuery } from '@tanstack/react-query';
import { Popover } from 'radix-ui';
import { useLayoutEffect, useMemo, useRef, useState } from 'react';
import { meQuery } from '../../api/me';
import { addEntry, closeAdd, fitsRequest, useAdding, type AddRequest } from '../adding';
import { useEditor, useEditorStore } from '../store';
import { entriesOf } from './entries';
import { EntryLine } from './EntryLine';
import { rowsOf, takenFrom } from './Palette';
import css from './QuickAdd.module.css';
import { noteRecent, useRecents } from './recents';
import type { Found } from './search';
import { SearchList } from './SearchList';

/** The palette at the pointer: opened by the canvas, a link or a shortcut. With a port to link, only what fits it. */
export function QuickAdd() {
  const store = useEditorStore();
  const request = useAdding();
  const before = useRef<Element | null>(null);
  useLayoutEffect(() => {
    if (request) before.current = document.activeElement;
  }, [request]);
  if (!request) return null;
  const close = () => closeAdd(store);
  return (
    <Popover.Root open onOpenChange={(open) => !open && close()}>
      <Popover.Anchor asChild>
        <span className={css.anchor} style={pointOf(request)} />
      </Popover.Anchor>
      <Popover.Portal>
        <Popover.Content className={css.popover} side="bottom" align="start" collisionPadding={8} aria-label="Add a task" onCloseAutoFocus={(event) => goBack(event, before.current)}>
          <Choices request={request} onClose={close} />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

/** To where the keyboard was; to the canvas when it was nowhere. */
function goBack(event: Event, before: Element | null): void {
  event.preventDefault();
  const known = before instanceof HTMLElement && before !== document.body && before.isConnected ? before : null;
  (known ?? document.querySelector<HTMLElement>('[aria-label="Pipeline canvas"]'))?.focus();
}

function pointOf({ point }: AddRequest) {
  return point ? { left: point.x, top: point.y } : { left: '50%', top: '30%' };
}

function Choices({ request, onClose }: { request: AddRequest; onClose: () => void }) {
  const store = useEditorStore();
  const catalogue = useEditor((state) => state.catalogue);
  const { data: me } = useQuery(meQuery);
  const person = me?.username ?? '';
  const recents = useRecents(person);
  const [query, setQuery] = useState('');
  const fitting = useMemo(() => {
    const state = store.getState();
    return entriesOf(catalogue).filter(({ ports }) => fitsRequest(ports, request, state));
  }, [store, catalogue, request]);
  const rows = useMemo(() => rowsOf(fitting, query, recents), [fitting, query, recents]);
  const choose = ({ entry }: Found) => {
    onClose();
    if (addEntry(store, takenFrom(entry), request)) noteRecent(person, entry.id);
  };
  return (
    <SearchList
      autoFocus
      label="Search what to add"
      listLabel="What can be added here"
      query={query}
      onQuery={setQuery}
      rows={rows}
      rowHeight={44}
      draw={(found) => <EntryLine found={found} />}
      onChoose={choose}
      onEscape={onClose}
      empty={<p className={css.words}>{fitting.length === 0 ? 'Nothing can be linked here.' : `Nothing matches '${query}'.`}</p>}
    />
  );
}
