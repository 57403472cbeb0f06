import { useEffect, type ReactNode } from 'react';
import css from './Page.module.css';
import { cx } from './cx';

const PRODUCT = 'Orchestrator';

/** Sets the title of the tab; the shell reads it out when the page changes. */
export function useTitle(...parts: (string | null | undefined)[]): void {
  const title = [...parts.filter(Boolean), PRODUCT].join(' · ');
  useEffect(() => {
    document.title = title;
  }, [title]);
}

interface HeadProps {
  title: ReactNode;
  above?: ReactNode;
  below?: ReactNode;
  actions?: ReactNode;
}

export function PageHead({ title, above, below, actions }: HeadProps) {
  return (
    <header className={css.head}>
      <div className={css.words}>
        {above && <div className={css.above}>{above}</div>}
        <h1 className={css.title}>{title}</h1>
        {below && <div className={css.below}>{below}</div>}
      </div>
      {actions && <div className={css.actions}>{actions}</div>}
    </header>
  );
}

/** A page that scrolls as a whole. */
export function PageBody({ children, wide = false }: { children: ReactNode; wide?: boolean }) {
  return (
    <div className={css.scroll}>
      <div className={cx(css.page, wide && css.wide)}>{children}</div>
    </div>
  );
}

interface SectionProps {
  title: string;
  count?: number;
  actions?: ReactNode;
  children: ReactNode;
  flush?: boolean;
}

export function Section({ title, count, actions, children, flush = false }: SectionProps) {
  return (
    <section className={css.section} aria-label={title}>
      <div className={css.sectionHead}>
        <h2>
          {title}
          {count !== undefined && <span className={css.count}>{count}</span>}
        </h2>
        {actions}
      </div>
      <div className={cx(css.card, flush && css.flush)}>{children}</div>
    </section>
  );
}

/** A surface with hairlines around a table or a graph. */
export function Card({ children, className }: { children: ReactNode; className?: string | undefined }) {
  return <div className={cx(css.card, css.flush, className)}>{children}</div>;
}
