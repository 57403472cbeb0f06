import { Check, Copy } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { IconButton } from './Button';
import css from './Facts.module.css';
import { formatDateTime, formatRelative, shortDigest } from './format';
import { useNow } from './useNow';

/** Names and values, one under the other. A null value is left out by the caller, never drawn as a blank. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className={css.facts}>{children}</dl>;
}

export function Fact({ name, children }: { name: ReactNode; children: ReactNode }) {
  return (
    <div className={css.fact}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** "3 minutes ago"; the exact moment stands in the title. */
export function Ago({ at }: { at: string }) {
  const now = useNow(15_000);
  return (
    <time dateTime={at} title={formatDateTime(at)}>
      {formatRelative(at, now)}
    </time>
  );
}

export function Moment({ at }: { at: string }) {
  return <time dateTime={at}>{formatDateTime(at)}</time>;
}

export function PersonName({ person, none = 'nobody' }: { person: { username: string; name: string } | null; none?: string }) {
  if (!person) return <span className={css.none}>{none}</span>;
  return <span title={person.username}>{person.name || person.username}</span>;
}

export function CopyButton({ text, label }: { text: string | (() => string); label: string }) {
  const [said, setSaid] = useState<string | null>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(typeof text === 'string' ? text : text());
      setSaid('Copied');
    } catch {
      // The clipboard is there on https and localhost only, and a browser may forbid it.
      setSaid('The browser does not allow copying here');
    }
    setTimeout(() => setSaid(null), 1500);
  };
  return (
    <IconButton label={said ?? label} onClick={() => void copy()} className={css.copy}>
      {said === 'Copied' ? <Check /> : <Copy />}
    </IconButton>
  );
}

/** The beginning of a sha256; all of it in the title and on the clipboard. */
export function Digest({ value }: { value: string }) {
  return (
    <span className={css.digest}>
      <code title={value}>{shortDigest(value)}</code>
      <CopyButton text={value} label="Copy the whole digest" />
    </span>
  );
}
