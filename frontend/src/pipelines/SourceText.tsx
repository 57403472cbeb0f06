import { CopyButton } from '../ui/Facts';
import css from './SourceText.module.css';

/** A text as it is, with line numbers that are not copied along. */
export function SourceText({ text, name }: { text: string; name: string }) {
  const lines = text.replace(/\n$/, '').split('\n');
  return (
    <div className={css.frame}>
      <div className={css.copy}>
        <CopyButton text={text} label={`Copy ${name}`} />
      </div>
      <div className={css.scroll} tabIndex={0} role="region" aria-label={name}>
        <pre className={css.numbers} aria-hidden>
          {lines.map((_, at) => at + 1).join('\n')}
        </pre>
        <pre className={css.text}>{text}</pre>
      </div>
    </div>
  );
}
