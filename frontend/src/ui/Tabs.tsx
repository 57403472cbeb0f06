import { Tabs as Radix } from 'radix-ui';
import type { ReactNode } from 'react';
import css from './Tabs.module.css';
import { cx } from './cx';

interface Props<T extends string> {
  label: string;
  value: T;
  tabs: { value: T; label: ReactNode }[];
  onChange: (value: T) => void;
  /** Said to the right of the tabs. */
  aside?: ReactNode;
  children: ReactNode;
  className?: string | undefined;
}

export function Tabs<T extends string>({ label, value, tabs, onChange, aside, children, className }: Props<T>) {
  return (
    <Radix.Root value={value} onValueChange={(next) => onChange(next as T)} className={cx(css.tabs, className)}>
      <div className={css.bar}>
        <Radix.List className={css.list} aria-label={label}>
          {tabs.map((tab) => (
            <Radix.Trigger key={tab.value} value={tab.value} className={css.tab}>
              {tab.label}
            </Radix.Trigger>
          ))}
        </Radix.List>
        {aside}
      </div>
      {tabs.map((tab) => (
        <Radix.Content key={tab.value} value={tab.value} className={css.body} tabIndex={-1}>
          {tab.value === value ? children : null}
        </Radix.Content>
      ))}
    </Radix.Root>
  );
}
