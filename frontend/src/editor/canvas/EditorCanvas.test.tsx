import { fireEvent, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { perform } from '../commands/keys';
import type { Camera, Stage } from '../commands/types';
import { EditorContext, makeEditor, type EditorStore } from '../store';
import { useAdding } from '../adding';
import { EditorCanvas } from './EditorCanvas';
import { canvasOf } from './state';

const TEXT = `schema: orchestrator/v1
name: canvas
tasks:
  ingest: {kind: shell, command: x, outputs: {rows: table}}
  train:
    kind: shell
    command: x
    with: {rows: "\${{ tasks.ingest.outputs.rows }}"}
    outputs: {model: model}
  report: {kind: shell, command: x}
`;

let store: EditorStore;
let camera: Camera | null;
let onKey: (event: KeyboardEvent) => void = () => undefined;

function Adding() {
  const request = useAdding();
  return request ? <output>add after {request.from?.task}</output> : null;
}

function draw(text = TEXT, readOnly = false) {
  store = makeEditor('demo:canvas', text);
  if (readOnly) store.getState().load(text, { tasks: {}, notes: {} }, true);
  const stage = (): Stage => ({ store, camera, open: () => undefined });
  onKey = (event) => {
    if (perform(event, stage())) event.preventDefault();
  };
  window.addEventListener('keydown', onKey);
  render(
    <EditorContext value={store}>
      <EditorCanvas onCamera={(given) => (camera = given)} />
      <Adding />
    </EditorContext>,
  );
  return { user: userEvent.setup(), canvas: screen.getByLabelText('Pipeline canvas') };
}

const links = () => store.getState().doc.model.links.map(({ from, output, to, input }) => `${from}.${output ?? ''} > ${to}.${input ?? ''}`);
const said = () => store.getState().said.text;
const port = (task: string, side: string, name: string) =>
  document.querySelector<HTMLElement>(`[data-task="${task}"][data-port="${side}"][data-name="${name}"]`)!;
const card = (key: string) => document.getElementById(`card-${key}`)!;

/** jsdom makes no pointer events of its own. */
function fire(target: EventTarget, type: string, clientX: number, clientY: number) {
  fireEvent(target as Element, new MouseEvent(type, { bubbles: true, cancelable: true, button: 0, clientX, clientY }));
}

/** jsdom knows no places: what is under the pointer is said beforehand. */
function pointAt(element: Element | null, x = 0, y = 0) {
  document.elementFromPoint = () => element;
  fire(window, 'pointermove', x, y);
}

function drag(from: Element, to: Element | null) {
  fire(from, 'pointerdown', 1, 1);
  pointAt(from, 2, 2);
  pointAt(to, 200, 200);
}

beforeEach(() => {
  window.removeEventListener('keydown', onKey);
  document.elementFromPoint = () => null;
  // React Flow asks it for the zoom when it measures a card that became another.
  vi.stubGlobal('DOMMatrixReadOnly', class { readonly m22 = 1; });
});

describe('a card', () => {
  it('says name, kind and ports in its accessible name', () => {
    draw();
    expect(card('train')).toHaveAccessibleName('train, shell, 1 input, 1 output');
    expect(port('train', 'in', 'rows')).toHaveAttribute('data-linked');
  });
});

describe('keys', () => {
  it('go from task to task, and Escape lets go', async () => {
    const { user, canvas } = draw();
    canvas.focus();
    await user.keyboard('{ArrowRight}');
    expect(canvas).toHaveAttribute('aria-activedescendant', 'card-ingest');
    await user.keyboard('{ArrowRight}');
    expect(canvas).toHaveAttribute('aria-activedescendant', 'card-train');
    expect([...store.getState().selection]).toEqual(['train']);
    await user.keyboard('{Escape}');
    expect(store.getState().selection.size).toBe(0);
  });

  it('link from one port to another that fits, and say so', async () => {
    const { user, canvas } = draw();
    canvas.focus();
    await user.keyboard('{ArrowRight}{ArrowRight}c');
    expect(said()).toBe('Link train.model to report.model? One of 1. Enter links, Escape gives up.');
    await user.keyboard('{Enter}');
    expect(links()).toContain('train.model > report.model');
    expect(said()).toBe('Link train.model to report.model');
    expect(store.getState().history.past).toHaveLength(1);
  });

  it('give a link up without a trace', async () => {
    const { user, canvas } = draw();
    canvas.focus();
    await user.keyboard('{ArrowRight}c{Escape}');
    expect(canvasOf(store).getState().linking).toBeNull();
    expect(store.getState().history.past).toHaveLength(0);
  });

  it('move by the grid, which is one entry while it goes on', async () => {
    const { user, canvas } = draw();
    canvas.focus();
    await user.keyboard('{ArrowRight}');
    const before = canvasOf(store).getState().scene!.places.get('ingest')!;
    await user.keyboard('{Alt>}{ArrowDown}{ArrowDown}{/Alt}');
    expect(canvasOf(store).getState().scene!.places.get('ingest')).toMatchObject({ x: before.x, y: before.y + 16 });
    expect(store.getState().history.past.map(({ label }) => label)).toEqual(['Move ingest']);
  });

  it('select, delete and bring back', async () => {
    const { user, canvas } = draw();
    canvas.focus();
    await user.keyboard('{Control>}a{/Control}{Delete}');
    expect(store.getState().doc.model.tasks.size).toBe(0);
    expect(screen.getByText(/No tasks yet/)).toBeVisible();
    await user.keyboard('{Control>}z{/Control}');
    expect(store.getState().doc.text).toBe(TEXT);
    expect(said()).toBe('Undone: Delete 3 tasks');
  });
});

describe('a link that is dragged', () => {
  it('lights what fits, dims what does not, and is made where it is dropped', () => {
    draw();
    drag(port('ingest', 'out', ''), port('report', 'in', ''));
    expect(port('report', 'in', '')).toHaveAttribute('data-at', 'at');
    expect(port('train', 'in', 'rows')).toHaveAttribute('data-dim');
    fire(window, 'pointerup', 200, 200);
    expect(links()).toContain('ingest. > report.');
    expect(store.getState().history.past.map(({ label }) => label)).toEqual(['Link ingest to report']);
  });

  it('is refused with the reason before it is let go, and nothing is changed', () => {
    draw();
    const before = store.getState().doc;
    drag(port('train', 'out', ''), port('ingest', 'in', ''));
    expect(said()).toBe('ingest runs before train already: this would close a loop.');
    expect(screen.getByText(/would close a loop/)).toBeInTheDocument();
    fire(window, 'pointerup', 200, 200);
    expect(store.getState().doc).toBe(before);
    expect(store.getState().history.past).toHaveLength(0);
    expect(store.getState().refusal).toContain('close a loop');
  });

  it('is refused at an input that has a link already', () => {
    draw(TEXT.replace('report: {kind: shell, command: x}', 'more: {kind: shell, command: x, outputs: {rows: table}}'));
    drag(port('more', 'out', 'rows'), port('train', 'in', 'rows'));
    expect(said()).toBe('rows of train is taken by ingest.rows: remove that link first.');
  });

  it('asks for a new task when it is dropped on nothing', () => {
    draw();
    drag(port('ingest', 'out', 'rows'), document.querySelector('.react-flow__pane'));
    fire(window, 'pointerup', 200, 200);
    expect(screen.getByText('add after ingest')).toBeInTheDocument();
  });

  it('dropped on a card goes to the input that fits', () => {
    draw();
    drag(port('train', 'out', 'model'), card('report'));
    fire(window, 'pointerup', 200, 200);
    expect(links()).toContain('train.model > report.model');
  });

  it('begins with a click and ends with another', () => {
    draw();
    const from = port('train', 'out', '');
    fire(from, 'pointerdown', 1, 1);
    document.elementFromPoint = () => from;
    fire(window, 'pointerup', 1, 1);
    pointAt(port('report', 'in', ''), 200, 200);
    fire(window, 'pointerup', 200, 200);
    expect(links()).toContain('train. > report.');
  });

  it('does not begin where a pipeline is only shown', () => {
    draw(TEXT, true);
    fire(port('ingest', 'out', ''), 'pointerdown', 1, 1);
    expect(canvasOf(store).getState().linking).toBeNull();
    expect(store.getState().refusal).toBe('This pipeline is shown for reading only.');
  });
});

describe('the clipboard', () => {
  it('takes tasks as text and gives them back under free names', () => {
    const { canvas } = draw();
    canvas.focus();
    store.getState().select(['ingest', 'train']);
    const data = { text: '', setData: vi.fn((_: string, text: string) => (data.text = text)), getData: () => data.text };
    fireEvent.copy(document, { clipboardData: data });
    expect(data.text).toContain('ingest:');
    fireEvent.paste(document, { clipboardData: data });
    expect(links()).toContain('ingest-2.rows > train-2.rows');
    expect([...store.getState().selection]).toEqual(['ingest-2', 'train-2']);
  });
});

describe('a group', () => {
  it('folds into a card with its count', async () => {
    const { user } = draw(TEXT.replace('  report:', '  all: {kind: group, tasks: {fit: {kind: shell, command: x}}}\n  report:'));
    await user.click(screen.getByRole('button', { name: 'Fold all' }));
    expect(card('all')).toHaveAccessibleName('all, group, 1 task inside, folded, 0 inputs, 0 outputs');
    expect(document.getElementById('card-all/fit')).toBeNull();
    await user.click(screen.getByRole('button', { name: 'Unfold all' }));
    expect(document.getElementById('card-all/fit')).not.toBeNull();
  });
});

it('says where a draft cannot be read, and leads there', async () => {
  const { user } = draw('name: canvas\ntasks:\n  a: {kind: shell\n');
  expect(screen.getByText('The YAML cannot be read, so there is nothing to draw yet.')).toBeVisible();
  expect(screen.queryByText(/No tasks yet/)).toBeNull();
  await user.click(screen.getByRole('button', { name: /Go to line/ }));
  expect(store.getState().view).toBe('split');
});

describe('a note', () => {
  it('is added, written, moved and thrown away, each brought back by undo', async () => {
    const { user, canvas } = draw();
    canvas.focus();
    await user.keyboard('n');
    await user.keyboard('why so{Escape}');
    expect(screen.getByRole('note', { name: 'Note: why so' })).toBeInTheDocument();
    expect(canvas).toHaveFocus();
    const [id] = Object.keys(store.getState().doc.layout.notes);
    const { text } = store.getState().doc;
    await user.keyboard('{Delete}');
    expect(screen.queryByRole('note')).toBeNull();
    await user.keyboard('{Control>}z{/Control}');
    expect(store.getState().doc.layout.notes[id!]!.text).toBe('why so');
    expect(store.getState().doc.text).toBe(text);
    expect(store.getState().history.past.map(({ label }) => label)).toEqual(['Add a note', 'Write a note']);
  });
});
