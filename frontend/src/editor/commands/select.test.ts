import { afterEach, describe, expect, it, vi } from 'vitest';
import { makeEditor } from '../store';
import { copySelection, cutSelection, paste } from './select';
import type { Stage } from './types';

const TEXT = `schema: orchestrator/v1
name: digits
tasks:
  train: {kind: shell, run: echo 1}
  report: {kind: shell, run: echo 2}
`;

function begin(clipboard: Partial<Clipboard> | undefined): Stage {
  vi.stubGlobal('navigator', { clipboard });
  const store = makeEditor('demo:digits', TEXT);
  store.getState().select(['report']);
  return { store, open: vi.fn(), camera: null };
}

const tasksOf = ({ store }: Stage) => [...store.getState().doc.model.tasks.keys()];

afterEach(() => vi.unstubAllGlobals());

describe('the clipboard by command', () => {
  it('has what was cut, and only then is it gone', async () => {
    const writeText = vi.fn(() => Promise.resolve());
    const stage = begin({ writeText });
    cutSelection.perform(stage);
    expect(tasksOf(stage)).toEqual(['train', 'report']);
    await vi.waitFor(() => expect(tasksOf(stage)).toEqual(['train']));
    expect(writeText).toHaveBeenCalledWith(expect.stringContaining('echo 2'));
  });

  it('that is forbidden takes nothing away, and says how it works', async () => {
    const stage = begin({ writeText: () => Promise.reject(new DOMException('no', 'NotAllowedError')) });
    cutSelection.perform(stage);
    await vi.waitFor(() => expect(stage.store.getState().refusal).toContain('Ctrl or Cmd and X'));
    expect(tasksOf(stage)).toEqual(['train', 'report']);
  });

  it.each([
    [copySelection, 'Ctrl or Cmd and C'],
    [paste, 'Ctrl or Cmd and V'],
  ])('that is not there, as without https, is said: $id', async (command, how) => {
    const stage = begin(undefined);
    command.perform(stage);
    await vi.waitFor(() => expect(stage.store.getState().refusal).toContain(how));
  });
});
