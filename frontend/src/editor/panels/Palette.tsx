import { useQuery } from '@tanstack/react-query';
import { PackageOpen } from 'lucide-react';
import { useMemo, useState, type DragEvent } from 'react';
import { meQuery } from '../../api/me';
import { sentenceOf } from '../../api/problem';
import { ErrorState, SkeletonRows } from '../../ui/Feedback';
import { addEntry, ANYWHERE, ENTRY_TYPE } from '../adding';
import { useCatalogueState } from '../catalogue';
import { useEditor, useEditorStore } from '../store';
import { entriesOf, type PaletteEntry } from './entries';
import { EntryLine } from './EntryLine';
import css from './Palette.module.css';
import { noteRecent, useRecents } from './recents';
import { search, type Found } from './search';
import { SearchList, type Row } from './SearchList';

/** What can be added: blocks of code locations and the built-in kinds. Enter and a click add, a drag puts it on the canvas. */
export function Palette() {
  const store = useEditorStore();
  const { loading, error, retry } = useCatalogueState();
  const catalogue = useEditor((state) => state.catalogue);
  const readOnly = useEditor((state) => state.readOnly);
  const { data: me } = useQuery(meQuery);
  const person = me?.username ?? '';
  const recents = useRecents(person);
  const [query, setQuery] = useState('');
  const entries = useMemo(() => entriesOf(catalogue), [catalogue]);
  const rows = useMemo(() => rowsOf(entries, query, recents), [entries, query, recents]);
  if (error) return <ErrorState title="Blocks and kinds could not be loaded." detail={sentenceOf(error)} onRetry={retry} />;
  if (loading || entries.length === 0) return <SkeletonRows rows={8} label="Loading blocks and kinds" />;
  const add = ({ entry }: Found) => {
    if (addEntry(store, takenFrom(entry), { ...ANYWHERE, scope: scopeNow(store.getState()) })) noteRecent(person, entry.id);
  };
  const drag = (event: DragEvent, { entry }: Found) => {
    event.dataTransfer.setData(ENTRY_TYPE, JSON.stringify(takenFrom(entry)));
    event.dataTransfer.effectAllowed = 'copy';
    noteRecent(person, entry.id);
  };
  return (
    <div className={css.palette}>
      <SearchList
        label="Search blocks and kinds"
        listLabel="What can be added"
        query={query}
        onQuery={setQuery}
        rows={rows}
        rowHeight={44}
        draw={(found) => <EntryLine found={found} />}
        onChoose={add}
        onDragStart={readOnly ? undefined : drag}
        empty={<p className={css.words}>{`Nothing matches '${query}'.`}</p>}
      />
      {catalogue.blocks.size === 0 && query === '' && <NoBlocks none={catalogue.locations.length === 0} />}
    </div>
  );
}

function NoBlocks({ none }: { none: boolean }) {
  return (
    <p className={css.note}>
      <PackageOpen aria-hidden />
      {none
        ? 'No code location yet: have a site admin register one, and its functions stand here as blocks.'
        : 'The code location has no blocks yet: sync it, or add public functions.'}
    </p>
  );
}

/** What is handed over when an entry is chosen or dragged. */
export function takenFrom({ name, entry, location }: PaletteEntry) {
  return location === null ? { name, entry } : { name, entry, location };
}

/** New tasks come into the scope of what is selected. */
export function scopeNow({ selection, doc }: { selection: ReadonlySet<string>; doc: { model: { tasks: ReadonlyMap<string, { parent: string | null }> } } }) {
  for (const id of selection) {
    const task = doc.model.tasks.get(id);
    if (task) return task.parent;
  }
  return null;
}

/** Without a query what was added lately stands first, then everything by category; with one, the best match first. */
export function rowsOf(entries: readonly PaletteEntry[], query: string, recents: readonly string[]): Row<Found>[] {
  const found = search(entries, query);
  if (query.trim() !== '') return found.map(rowOf);
  const byId = new Map(found.map((each) => [each.entry.id, each]));
  const lately = recents.map((id) => byId.get(id)).filter((each) => each !== undefined);
  const rows: Row<Found>[] = lately.length > 0 ? [{ heading: 'Lately added' }, ...lately.map((each) => rowOf(each))] : [];
  let category = '';
  for (const each of found) {
    if (each.entry.category !== category) rows.push({ heading: (category = each.entry.category) });
    rows.push(rowOf(each));
  }
  return rows;
}

function rowOf(item: Found): Row<Found> {
  return { item, id: item.entry.id };
}
