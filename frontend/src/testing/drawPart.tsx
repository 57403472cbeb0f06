import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { render } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import type { ReactNode } from 'react';
import { vi } from 'vitest';
import { answer, makeWorld, type World } from './server';
import palette from './palette.json';
import { EditorContext, EMPTY_CATALOGUE, makeEditor, type EditorStore } from '../editor/store';
import type { Block, Catalogue, KindInfo } from '../editor/types';

/* Tests of panels: a part of the editor on a small document, with the kinds and blocks that the API gives. */

const { kinds, common, work } = palette.kinds;

export const CATALOGUE = {
  ...EMPTY_CATALOGUE,
  kinds: new Map(
    kinds.map(({ takes_secrets, ports, ...kind }) => [
      kind.name,
      {
        ...kind,
        takesSecrets: takes_secrets,
        ports: { inputs: ports.inputs, outputs: ports.outputs, openInputs: ports.open_inputs, openOutputs: ports.open_outputs },
      } as unknown as KindInfo,
    ]),
  ),
  common,
  work,
  blocks: new Map(palette.blocks.map((block) => [block.id, { ...block, location: 'demo' } as unknown as Block])),
  locations: ['demo'],
  queues: ['cpu', 'gpu'],
  secrets: ['db-password'],
  members: ['ana'],
} as unknown as Catalogue;

interface Options {
  catalogue?: Catalogue;
  world?: Partial<World>;
}

/** Draws a part of the editor around the tasks of a document (YAML, indented by two). */
export function draw(part: ReactNode, tasks: string, { catalogue = CATALOGUE, world = {} }: Options = {}) {
  const served = makeWorld(world);
  vi.stubGlobal('fetch', (request: Request) => answer(served, request));
  const text = `schema: orchestrator/v1\nname: small\n${tasks}`;
  const store: EditorStore = makeEditor('demo:small', text);
  store.getState().setCatalogue(catalogue);
  const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const view = render(
    <QueryClientProvider client={queryClient}>
      <EditorContext value={store}>{part}</EditorContext>
    </QueryClientProvider>,
  );
  const written = () => store.getState().doc.text;
  return { store, written, user: userEvent.setup(), ...view };
}
