/* Plain scalars by the core schema of YAML 1.2, as the server reads them. */

export type Scalar = null | boolean | number | string;

const WORDS: Readonly<Record<string, null | boolean>> = {
  '': null,
  '~': null,
  null: null,
  Null: null,
  NULL: null,
  true: true,
  True: true,
  TRUE: true,
  false: false,
  False: false,
  FALSE: false,
};
const INTEGER = /^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const SPECIAL = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const MAX_INTEGER = 2n ** 63n - 1n;

/** A plain scalar that is a number by its form, and cannot be one in a document. */
export class NoNumber {
  constructor(
    readonly code: 'number-not-finite' | 'number-too-large',
    readonly message: string,
  ) {}
}

const NOT_FINITE = new NoNumber(
  'number-not-finite',
  'Infinity and not-a-number are no values here: write a finite number, or quote it.',
);
const TOO_LARGE = new NoNumber(
  'number-too-large',
  `Whole numbers go up to ${MAX_INTEGER.toLocaleString('en')}: put a longer one in quotes.`,
);

/** What a plain scalar means. */
export function resolveScalar(text: string): Scalar | NoNumber {
  if (Object.hasOwn(WORDS, text)) return WORDS[text] ?? null;
  if (!/^[-+.0-9]/.test(text)) return text;
  if (INTEGER.test(text)) return integer(text);
  if (FLOAT.test(text)) return Number.isFinite(Number(text)) ? Number(text) : NOT_FINITE;
  return SPECIAL.test(text) ? NOT_FINITE : text;
}

function integer(text: string): number | NoNumber {
  if (text.length > 64) return TOO_LARGE;
  const digits = text.replace(/^[-+]/, '');
  const size = BigInt(/^0[ox]/.test(digits) ? digits : digits.replace(/^0+(?=.)/, ''));
  if (size > MAX_INTEGER) return TOO_LARGE;
  return text.startsWith('-') ? -Number(size) : Number(size);
}
