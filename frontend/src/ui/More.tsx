import { Button } from './Button';
import { Notice } from './Feedback';
import table from './Table.module.css';

interface Props {
  has: boolean;
  busy: boolean;
  onMore: () => void;
  /** Why the next page did not come, if it did not. */
  problem?: string | null;
}

/** The way to the next page of a list; nothing at its end. */
export function More({ has, busy, onMore, problem = null }: Props) {
  if (!has) return null;
  return (
    <div className={table.more}>
      {problem !== null && <Notice>{problem}</Notice>}
      <Button small busy={busy} onClick={onMore}>
        Load more
      </Button>
    </div>
  );
}
