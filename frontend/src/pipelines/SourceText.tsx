import { CopyButton } from '../ui/Facts';
import css from './SourceText.module.css';

/** A text as it is, with line numbers that are not copied along; a long line goes on below itself. */
export function SourceText({ text, name }: { text: string; name: string }) {
  const lines = text.replace(/\n$/, '').split('\n');
  return (
    <div className={css.frame}>
      <div className={css.copy}>
        <CopyButton text={text} label={`Copy ${name}`} />
      </div>
      <div className={css.scroll} tabIndex={0} role="region" aria-label={name}>
        <pre className={css.text}>
          {lines.map((line, at) => (
            <span key={at} className={css.line}>
              {`${line}\n`}
            </span>
          ))}
        </pre>
      </div>
    </div>
  );
}
