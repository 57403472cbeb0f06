import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useState } from 'react';
import { whenSignedOut } from '../api/client';
import { Problem } from '../api/problem';
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

/** Everything, wired: one query client, one router, and the way back to sign-in when a session ends. */
export function App() {
  const [{ queryClient, router }] = useState(() => {
    const client = makeQueryClient();
    const made = makeRouter(client);
    whenSignedOut(() => {
      const { pathname, href } = made.state.location;
      if (pathname !== '/sign-in') void made.navigate({ to: '/sign-in', search: { next: href } });
    });
    return { queryClient: client, router: made };
  });
  return (
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  );
}
