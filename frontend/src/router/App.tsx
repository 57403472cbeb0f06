import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useState } from 'react';
import { whenSignedOut } from '../api/client';
import { Problem } from '../api/problem';
import { AgainDialog } from '../signin/AgainDialog';
import { makeRouter } from './router';

function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        // A refusal stays a refusal; only silence and the server's own trouble are tried once more.
        retry: (count, error) => count < 1 && error instanceof Problem && (error.status === 0 || error.status >= 502),
        retryDelay: 800,
      },
    },
  });
}

/** An answer that says that the session has ended leads to sign-in, and from there back. */
export function returnToSignIn(router: ReturnType<typeof makeRouter>): void {
  whenSignedOut(() => {
    const { pathname, href } = router.state.location;
    if (!pathname.startsWith('/sign-in')) void router.navigate({ to: '/sign-in', search: { next: href } });
  });
}

/** Everything, wired: one query client, one router, and the way back to sign-in when a session ends. */
export function App() {
  const [{ queryClient, router }] = useState(() => {
    const client = makeQueryClient();
    const made = makeRouter(client);
    returnToSignIn(made);
    return { queryClient: client, router: made };
  });
  return (
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
      <AgainDialog />
    </QueryClientProvider>
  );
}
