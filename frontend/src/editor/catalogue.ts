import { useQueries, useQuery } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import {
  blocksQuery,
  endpointNamesQuery,
  kindsQuery,
  locationsQuery,
  memberNamesQuery,
  queueNamesQuery,
  secretNamesQuery,
  type BlocksShape,
  type KindShape,
  type LocationShape,
} from '../api/catalogue';
import { useEditor, useEditorStore } from './store';
import type { Block, Catalogue, JsonMap, KindInfo, Port, Ports } from './types';

/** Fills the catalogue of the store, part by part as the answers come. Mounted once, by the page. */
export function useCatalogue(): void {
  const store = useEditorStore();
  const team = useTeam();
  const { data: kinds } = useQuery(kindsQuery());
  const { data: locations } = useQuery(locationsQuery(team));
  const { data: queues } = useQuery(queueNamesQuery());
  const { data: endpoints } = useQuery(endpointNamesQuery(team));
  const { data: members } = useQuery(memberNamesQuery(team));
  const { data: secrets } = useQuery(secretNamesQuery(team));
  const blocks = useBlocks(locations);
  const catalogue = useMemo<Catalogue>(
    () => ({
      kinds: new Map((kinds?.kinds ?? []).map((kind) => [kind.name, kindOf(kind)])),
      common: kinds?.common ?? {},
      work: kinds?.work ?? {},
      blocks,
      locations: (locations ?? []).map(({ name }) => name),
      queues: queues ?? [],
      endpoints: endpoints ?? [],
      members: members ?? [],
      secrets: secrets ?? [],
    }),
    [kinds, blocks, locations, queues, endpoints, members, secrets],
  );
  useEffect(() => store.getState().setCatalogue(catalogue), [store, catalogue]);
}

/** What has to be there before one can choose what to add, and what to do when it did not come. */
export function useCatalogueState(): { loading: boolean; error: Error | null; retry: () => void } {
  const team = useTeam();
  const kinds = useQuery(kindsQuery());
  const locations = useQuery(locationsQuery(team));
  const retry = () => {
    for (const query of [kinds, locations]) if (query.isError) void query.refetch();
  };
  return { loading: kinds.isPending || locations.isPending, error: kinds.error ?? locations.error, retry };
}

function useTeam(): string {
  return useEditor(({ address }) => address.split(':', 1)[0] ?? '');
}

/** The blocks of the document's code location; of every one of the team while it names none. */
function useBlocks(locations: readonly LocationShape[] = []): ReadonlyMap<string, Block> {
  const named = useEditor(({ doc }) => doc.model.location);
  const wanted = named === null ? locations : locations.filter(({ name }) => name === named);
  return useQueries({
    queries: wanted.map((location) => ({ ...blocksQuery(location), select: (answer: BlocksShape) => blocksOf(location.name, answer) })),
    combine: joined,
  });
}

function joined(answers: { data: Block[] | undefined }[]): ReadonlyMap<string, Block> {
  const found = new Map<string, Block>();
  // Of two locations with the same function the first one counts.
  for (const block of answers.flatMap(({ data }) => data ?? [])) if (!found.has(block.id)) found.set(block.id, block);
  return found;
}

function blocksOf(location: string, { blocks }: BlocksShape): Block[] {
  return blocks.map(({ id, name, doc, open, problem, inputs, outputs }) => ({
    id,
    name,
    doc,
    open,
    problem,
    location,
    inputs: inputs.map(portOf),
    outputs: outputs.map(portOf),
  }));
}

function kindOf({ takes_secrets, ports, ...kind }: KindShape): KindInfo {
  return { ...kind, takesSecrets: takes_secrets, ports: portsOf(ports) };
}

function portsOf({ inputs, outputs, open_inputs, open_outputs }: KindShape['ports']): Ports {
  return { inputs: inputs.map(portOf), outputs: outputs.map(portOf), openInputs: open_inputs, openOutputs: open_outputs };
}

function portOf({ required = true, ...port }: KindShape['ports']['outputs'][number]): Port {
  return { required, ...(port as JsonMap & { name: string; type: string }) };
}
