import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createMemoryHistory, RouterProvider } from '@tanstack/react-router';
import { render } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { vi } from 'vitest';
import { returnToSignIn } from '../router/App';
import { makeRouter } from '../router/router';
import { AgainDialog } from '../signin/AgainDialog';
import { answer, makeWorld, type World } from './server';

/** Opens an address of the product against a fake server. */
export function open(address: string, change: Partial<World> = {}) {
  const world = makeWorld(change);
  vi.stubGlobal('fetch', (request: Request) => answer(world, request));
  const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const router = makeRouter(queryClient);
  router.update({ ...router.options, history: createMemoryHistory({ initialEntries: [address] }) });
  returnToSignIn(router);
  const view = render(
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
      <AgainDialog />
    </QueryClientProvider>,
  );
  return { world, router, user: userEvent.setup(), ...view };
}
