import css from './Access.module.css';

interface Props<T extends string> {
  legend: string;
  /** Each choice with what it means. */
  words: Partial<Record<T, string>>;
  choices: readonly T[];
  value: readonly T[];
  onChange: (value: T[]) => void;
  error?: string | null;
}

/** Any of several things that need a sentence each: roles, scopes. */
export function Choices<T extends string>({ legend, words, choices, value, onChange, error = null }: Props<T>) {
  const toggle = (choice: T) =>
    onChange(choices.filter((each) => (each === choice ? !value.includes(each) : value.includes(each))));
  return (
    <fieldset className={css.choices}>
      <legend className={css.legend}>{legend}</legend>
      {choices.map((choice) => (
        <label key={choice} className={css.choice}>
          <input type="checkbox" checked={value.includes(choice)} onChange={() => toggle(choice)} />
          <span>
            <span className={css.name}>{choice}</span> <span className={css.soft}>{words[choice]}</span>
          </span>
        </label>
      ))}
      {error !== null && (
        <p role="alert" className={css.error}>
          {error}
        </p>
      )}
    </fieldset>
  );
}
