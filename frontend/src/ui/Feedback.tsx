import { CircleAlert, MapPinOff, RotateCw, TriangleAlert, Unplug } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button } from './Button';
import css from './Feedback.module.css';
import { cx } from './cx';

export function Skeleton({ width, height = 12 }: { width: number | string; height?: number }) {
  return <span className={css.skeleton} style={{ width, height }} aria-hidden />;
}

/** Grey rows in the place of a table that is on its way. */
export function SkeletonRows({ rows = 6, label = 'Loading' }: { rows?: number; label?: string }) {
  return (
    <div className={css.rows} role="status">
      <span className="visually-hidden">{label}</span>
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className={css.row}>
          <Skeleton width={14} height={14} />
          <Skeleton width={`${28 - ((row * 7) % 12)}%`} />
          <Skeleton width="16%" />
          <Skeleton width={`${12 + ((row * 5) % 8)}%`} />
        </div>
      ))}
    </div>
  );
}

interface EmptyProps {
  /** It is all there is on the page, so its title is the page's. */
  page?: boolean;
  icon: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}

export function EmptyState({ icon, title, children, action, page = false }: EmptyProps) {
  const Title = page ? 'h1' : 'h2';
  return (
    <div className={css.state}>
      <span className={css.icon}>{icon}</span>
      <Title>{title}</Title>
      {children && <div className={css.words}>{children}</div>}
      {action}
    </div>
  );
}

/** What an address names does not exist: one sentence, and a way on as the child. */
export function NotFound({ title, children }: { title: string; children: ReactNode }) {
  return <EmptyState page icon={<MapPinOff />} title={title} action={children} />;
}

interface ErrorProps {
  page?: boolean;
  /** What could not be done: "The runs could not be loaded." */
  title: string;
  /** Why, in a sentence. */
  detail: string;
  offline?: boolean;
  onRetry?: () => void;
}

export function ErrorState({ title, detail, offline = false, onRetry, page = false }: ErrorProps) {
  const Title = page ? 'h1' : 'h2';
  return (
    <div className={css.state} role="alert">
      <span className={cx(css.icon, css.bad)}>{offline ? <Unplug /> : <CircleAlert />}</span>
      <Title>{title}</Title>
      <p className={css.words}>{detail}</p>
      {onRetry && (
        <Button icon={<RotateCw />} onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** One line of trouble inside a form or a panel. */
export function Notice({ children, look = 'failed' }: { children: ReactNode; look?: 'failed' | 'retrying' | 'approval' }) {
  return (
    <div className={css.notice} data-look={look} role={look === 'failed' ? 'alert' : undefined}>
      <TriangleAlert aria-hidden />
      <div>{children}</div>
    </div>
  );
}
