import css from './Prose.module.css';

const ADDRESS = /https?:\/\/[^\s<>"']+/gi;
/** What ends a sentence rather than an address. */
const TAIL = /[.,;:!?)\]]+$/;

interface Piece {
  text: string;
  href: string | null;
}

/** Text in pieces, of which addresses of the web are links; nothing but http and https ever is. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const href = match[0].replace(TAIL, '');
    if (!URL.canParse(href)) continue;
    if (match.index > from) pieces.push({ text: text.slice(from, match.index), href: null });
    pieces.push({ text: href, href });
    from = match.index + href.length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from), href: null });
  return pieces;
}

/** What somebody wrote for others to read, line by line, its addresses as links. */
export function Prose({ text }: { text: string }) {
  return (
    <span className={css.prose}>
      {piecesOf(text).map(({ text: words, href }, at) =>
        href === null ? (
          words
        ) : (
          <a key={at} href={href} rel="noreferrer" target="_blank">
            {words}
          </a>
        ),
      )}
    </span>
  );
}
