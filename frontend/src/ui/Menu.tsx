import { Check } from 'lucide-react';
import { DropdownMenu as Radix } from 'radix-ui';
import type { ReactNode } from 'react';
import css from './Menu.module.css';

interface MenuProps {
  trigger: ReactNode;
  children: ReactNode;
  /** For a menu that something else than its trigger opens. */
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
}

export function Menu({ trigger, children, open, onOpenChange }: MenuProps) {
  return (
    // Not modal: what is behind stays readable, and the focus is nowhere hidden.
    <Radix.Root modal={false} {...(open === undefined ? {} : { open })} {...(onOpenChange ? { onOpenChange } : {})}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content className={css.menu} align="end" sideOffset={6} collisionPadding={8}>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

export function MenuItem({ children, onSelect }: { children: ReactNode; onSelect: () => void }) {
  return (
    <Radix.Item className={css.item} onSelect={onSelect}>
      {children}
    </Radix.Item>
  );
}

interface Choice {
  value: string;
  label: string;
}

export function MenuChoices(props: { label: string; value: string; choices: Choice[]; onChange: (v: string) => void }) {
  return (
    <Radix.RadioGroup value={props.value} onValueChange={props.onChange}>
      <Radix.Label className={css.label}>{props.label}</Radix.Label>
      {props.choices.map((choice) => (
        <Radix.RadioItem key={choice.value} value={choice.value} className={css.item}>
          <span className={css.tick}>
            <Radix.ItemIndicator>
              <Check size={14} />
            </Radix.ItemIndicator>
          </span>
          {choice.label}
        </Radix.RadioItem>
      ))}
    </Radix.RadioGroup>
  );
}

export function MenuText({ children }: { children: ReactNode }) {
  return <Radix.Label className={css.text}>{children}</Radix.Label>;
}

export function MenuLine() {
  return <Radix.Separator className={css.line} />;
}
