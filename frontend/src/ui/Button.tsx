import type { AnchorHTMLAttributes, ButtonHTMLAttributes, ReactNode, Ref } from 'react';
import css from './Button.module.css';
import { cx } from './cx';

type Look = 'plain' | 'primary' | 'danger' | 'quiet';

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look;
  small?: boolean;
  icon?: ReactNode;
  busy?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

/** While `busy` it keeps its width and takes no second press. */
export function Button({ look = 'plain', small = false, icon, busy = false, children, className, ...rest }: Props) {
  return (
    <button
      type="button"
      {...rest}
      aria-busy={busy || undefined}
      disabled={busy || rest.disabled}
      className={cx(css.button, css[look], small && css.small, className)}
    >
      {busy ? <span className={css.spinner} aria-hidden /> : icon}
      {children}
    </button>
  );
}

interface ButtonLinkProps extends AnchorHTMLAttributes<HTMLAnchorElement> {
  icon?: ReactNode;
  href: string;
}

/** Looks like a Button and leads somewhere: a file, mostly. */
export function ButtonLink({ icon, children, className, ...rest }: ButtonLinkProps) {
  return (
    <a {...rest} className={cx(css.button, css.link, className)}>
      {icon}
      {children}
    </a>
  );
}

/** The class names of a link that looks like a button: links of the router, mostly. */
export function buttonLook(look: Look = 'plain', small = false): string {
  return cx(css.button, css[look], small && css.small);
}

interface IconProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** What the button does: its accessible name and its tooltip. */
  label: string;
  pressed?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

export function IconButton({ label, pressed, children, className, ...rest }: IconProps) {
  return (
    <button
      type="button"
      title={label}
      aria-label={label}
      aria-pressed={pressed}
      {...rest}
      className={cx(css.icon, className)}
    >
      {children}
    </button>
  );
}

interface LinkProps extends AnchorHTMLAttributes<HTMLAnchorElement> {
  label: string;
  href: string;
}

/** Looks like an IconButton and leads somewhere: a file, mostly. */
export function IconLink({ label, children, className, ...rest }: LinkProps) {
  return (
    <a title={label} aria-label={label} {...rest} className={cx(css.icon, className)}>
      {children}
    </a>
  );
}
