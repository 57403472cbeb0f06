import { Link } from '@tanstack/react-router';
import type { BlockerLink, Run } from '../api/types';
import type { LinkedPiece } from './linked';

/** A sentence of the server in which the names of things lead to their pages. */
export function LinkedWords({ run, pieces }: { run: Run; pieces: LinkedPiece[] }) {
  return pieces.map(({ text, link }, at) => (link ? <Place key={at} run={run} link={link} words={text} /> : text));
}

/** A page that the server names. A task of the same run is opened beside what is seen of the run now. */
export function Place({ run, link, words }: { run: Run; link: BlockerLink; words: string }) {
  const { pathname, searchParams } = new URL(link.href, window.location.origin);
  const task = searchParams.get('task');
  if (task !== null && pathname === `/runs/${run.id}`) {
    return (
      <Link
        from="/runs/$runId"
        to="/runs/$runId"
        params={{ runId: run.id }}
        search={(now) => ({ ...now, task, attempt: undefined, tab: undefined, line: undefined })}
      >
        {words}
      </Link>
    );
  }
  // The console is not drawn by this page.
  if (pathname.startsWith('/admin/')) return <a href={link.href}>{words}</a>;
  return (
    <Link to={pathname as never} search={Object.fromEntries(searchParams) as never}>
      {words}
    </Link>
  );
}
