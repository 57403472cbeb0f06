import type { ReactNode } from 'react';
import type { Problem } from '../../types';
import css from './FieldFrame.module.css';
import type { Path } from './target';

export interface ControlIds {
  id: string;
  'aria-describedby': string | undefined;
  'aria-invalid': boolean;
}

interface Props {
  path: Path;
  label: ReactNode;
  /** Said behind the label: the type, "required". */
  note?: ReactNode;
  hint?: ReactNode;
  /** What this page says is wrong; left out when the server says something. */
  fault?: string | null;
  problems: readonly Problem[];
  /** Stands at the end of the line of the label. */
  aside?: ReactNode;
  children: (control: ControlIds) => ReactNode;
}

export function idOf(path: Path): string {
  return `field-${path.join('.')}`;
}

/** Label, control, hint and problems of one place, tied together for screen readers. */
export function FieldFrame({ path, label, note, hint, fault = null, problems, aside, children }: Props) {
  const id = idOf(path);
  const said = saidOf(problems, fault);
  const described = [hint ? `${id}-hint` : null, said.length > 0 ? `${id}-problems` : null].filter(Boolean).join(' ');
  return (
    <div className={css.frame}>
      <div className={css.head}>
        <label htmlFor={id} className={css.label}>
          {label}
        </label>
        {note && <span className={css.note}>{note}</span>}
        {aside && <span className={css.aside}>{aside}</span>}
      </div>
      {children({ id, 'aria-describedby': described || undefined, 'aria-invalid': said.some(({ severity }) => severity === 'error') })}
      {hint && (
        <div id={`${id}-hint`} className={css.hint}>
          {hint}
        </div>
      )}
      <Said id={`${id}-problems`} said={said} />
    </div>
  );
}

interface GroupProps {
  path: Path;
  label: ReactNode;
  hint?: ReactNode;
  problems?: readonly Problem[];
  aside?: ReactNode;
  children: ReactNode;
}

/** Several controls that belong together. */
export function FieldGroup({ path, label, hint, problems = [], aside, children }: GroupProps) {
  const id = idOf(path);
  const said = saidOf(problems, null);
  return (
    <fieldset id={id} className={css.group} aria-describedby={said.length > 0 ? `${id}-problems` : undefined}>
      <legend className={css.legend}>{label}</legend>
      {aside && <span className={css.corner}>{aside}</span>}
      {hint && <div className={css.hint}>{hint}</div>}
      {children}
      <Said id={`${id}-problems`} said={said} />
    </fieldset>
  );
}

interface Sentence {
  readonly severity: string;
  readonly message: string;
}

function saidOf(problems: readonly Problem[], fault: string | null): readonly Sentence[] {
  if (problems.length > 0) return problems;
  return fault === null ? [] : [{ severity: 'error', message: fault }];
}

export function Said({ id, said }: { id?: string; said: readonly Sentence[] }) {
  if (said.length === 0) return null;
  return (
    <ul id={id} className={css.problems}>
      {said.map(({ severity, message }, no) => (
        <li key={no} data-severity={severity}>
          {message}
        </li>
      ))}
    </ul>
  );
}
