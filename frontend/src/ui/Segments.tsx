import { ToggleGroup } from 'radix-ui';
import type { ReactNode } from 'react';
import css from './Segments.module.css';

interface Props<T extends string> {
  label: string;
  value: T;
  items: { value: T; label: ReactNode; title?: string }[];
  onChange: (value: T) => void;
}

/** One of a few, side by side. */
export function Segments<T extends string>({ label, value, items, onChange }: Props<T>) {
  return (
    <ToggleGroup.Root
      type="single"
      aria-label={label}
      value={value}
      className={css.group}
      onValueChange={(next) => next && onChange(next as T)}
    >
      {items.map((item) => (
        <ToggleGroup.Item key={item.value} value={item.value} className={css.item} title={item.title}>
          {item.label}
        </ToggleGroup.Item>
      ))}
    </ToggleGroup.Root>
  );
}
