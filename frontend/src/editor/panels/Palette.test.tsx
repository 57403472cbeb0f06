import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { ENTRY_TYPE, requestAdd, ANYWHERE } from '../adding';
import { CATALOGUE, draw } from '../../testing/drawPart';
import { Palette } from './Palette';
import { QuickAdd } from './QuickAdd';

const NONE = 'tasks: {}\n';
const READ = 'code: {location: demo}\ntasks:\n  read: {kind: python, run: "cancer:ingest"}\n';

describe('the palette', () => {
  it('finds by name, puts the best match first and adds it with Enter', async () => {
    const { user, store, written } = draw(<Palette />, NONE);
    const box = await screen.findByLabelText('Search blocks and kinds');
    await user.type(box, 'ingest');
    expect(screen.getAllByRole('option')[0]).toHaveTextContent(/^ingest/);
    await user.keyboard('{Enter}');
    expect([...store.getState().doc.model.tasks.keys()]).toEqual(['ingest']);
    expect(written()).toContain('location: demo');
    expect(store.getState().said.text).toBe('Add ingest');
    expect(box).toHaveFocus();
  });

  it('moves by arrows and adds by a click', async () => {
    const { user, store } = draw(<Palette />, NONE);
    await user.type(await screen.findByLabelText('Search blocks and kinds'), 'shell');
    await user.click(screen.getByRole('option', { name: /Shell script/ }));
    expect(store.getState().doc.model.tasks.get('shell')?.kind).toBe('shell');
    await user.clear(screen.getByLabelText('Search blocks and kinds'));
    await user.keyboard('{ArrowDown}{ArrowDown}{ArrowUp}');
    expect(screen.getAllByRole('option').filter((option) => option.getAttribute('aria-selected') === 'true')).toHaveLength(1);
  });

  it('adds nothing to what cannot be read, and says why', async () => {
    const { user, store, written } = draw(<Palette />, 'tasks:\n  a: {kind: shell\n');
    const before = written();
    await user.type(await screen.findByLabelText('Search blocks and kinds'), 'shell{Enter}');
    expect(store.getState().refusal).toMatch(/^Fix the YAML first: line \d+, /);
    expect(written()).toBe(before);
  });

  it('remembers what was added lately', async () => {
    const { user } = draw(<Palette />, NONE);
    const box = await screen.findByLabelText('Search blocks and kinds');
    await user.type(box, 'approval{Enter}');
    await user.clear(box);
    expect(screen.getByText('Lately added')).toBeInTheDocument();
    expect(screen.getAllByRole('option')[0]).toHaveTextContent(/^Approval/);
  });

  it('leaves out what does not run here', async () => {
    const { user } = draw(<Palette />, NONE);
    await user.type(await screen.findByLabelText('Search blocks and kinds'), 'notebook');
    expect(screen.getByText("Nothing matches 'notebook'.")).toBeInTheDocument();
  });

  it('says what to do without a code location', async () => {
    draw(<Palette />, NONE, { catalogue: { ...CATALOGUE, blocks: new Map(), locations: [] } });
    expect(await screen.findByText(/No code location yet: have a site admin register one/)).toBeInTheDocument();
  });

  it('says when it could not be loaded, and tries again', async () => {
    const refuse = { 'GET /api/v1/kinds': { status: 503, title: 'The database is starting.' } };
    draw(<Palette />, NONE, { world: { refuse } });
    expect(await screen.findByText('Blocks and kinds could not be loaded.')).toBeInTheDocument();
    expect(screen.getByRole('button', { name: 'Try again' })).toBeInTheDocument();
  });

  it('puts the entry into what is dragged', async () => {
    const { user } = draw(<Palette />, NONE);
    await user.type(await screen.findByLabelText('Search blocks and kinds'), 'ingest');
    const data = new Map<string, string>();
    fireEvent.dragStart(screen.getAllByRole('option')[0]!, { dataTransfer: { setData: (type: string, text: string) => data.set(type, text) } });
    expect(JSON.parse(data.get(ENTRY_TYPE) ?? '')).toEqual({ name: 'ingest', entry: { kind: 'python', run: 'cancer:ingest' }, location: 'demo' });
  });

  it('draws few of many blocks', async () => {
    const blocks = new Map(
      Array.from({ length: 500 }, (_, no) => {
        const [block] = CATALOGUE.blocks.values();
        return [`m:b${no}`, { ...block!, id: `m:b${no}`, name: `b${no}` }] as const;
      }),
    );
    draw(<Palette />, NONE, { catalogue: { ...CATALOGUE, blocks } });
    await screen.findByLabelText('Search blocks and kinds');
    expect(screen.getAllByRole('option').length).toBeLessThan(60);
    expect(screen.getAllByRole('option')[0]).toHaveAttribute('aria-setsize', String(500 + 7));
  });
});

describe('quick-add', () => {
  it('offers only what fits the port that is to be linked, and links it', async () => {
    const { user, store } = draw(<><div aria-label="Pipeline canvas" role="region" tabIndex={-1} /><QuickAdd /></>, READ);
    act(() => requestAdd(store, { ...ANYWHERE, point: { x: 10, y: 10 }, from: { task: 'read', port: 'table' } }));
    const list = await screen.findByRole('listbox');
    expect(within(list).queryByRole('option', { name: /Deploy/ })).toBeNull();
    await user.type(screen.getByLabelText('Search what to add'), 'train{Enter}');
    const { links } = store.getState().doc.model;
    expect(links).toMatchObject([{ from: 'read', to: 'train', output: 'table', input: 'table' }]);
    expect(screen.queryByRole('listbox')).toBeNull();
    await waitFor(() => expect(screen.getByLabelText('Pipeline canvas')).toHaveFocus());
  });
});
