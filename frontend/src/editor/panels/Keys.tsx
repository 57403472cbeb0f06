import css from './Keys.module.css';

const MAC = /Mac|iPhone|iPad/.test(navigator.userAgent);
const SIGNS: Readonly<Record<string, string>> = {
  Mod: MAC ? '⌘' : 'Ctrl',
  Alt: MAC ? '⌥' : 'Alt',
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowLeft: '←',
  ArrowRight: '→',
  Escape: 'Esc',
};

/** A shortcut as its keys: `Mod+Shift+Z`. */
export function Keys({ of: word }: { of: string }) {
  return (
    <span className={css.keys}>
      {partsOf(word).map((key) => (
        <kbd key={key}>{SIGNS[key] ?? key}</kbd>
      ))}
    </span>
  );
}

/** The keys of a word; the last one may be a plus sign itself. */
function partsOf(word: string): string[] {
  return word.endsWith('++') ? [...word.slice(0, -2).split('+'), '+'] : word === '+' ? ['+'] : word.split('+');
}
