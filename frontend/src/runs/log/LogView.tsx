import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDownToLine, ChevronDown, ChevronUp, Download, WrapText } from 'lucide-react';
import { memo, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useStore } from 'zustand';
import { sentenceOf } from '../../api/problem';
import { getLog, logAddress } from '../../api/runs';
import { Button, IconButton, IconLink } from '../../ui/Button';
import { CopyButton } from '../../ui/Facts';
import { EmptyState, ErrorState, Notice, SkeletonRows } from '../../ui/Feedback';
import { SearchBox } from '../../ui/Fields';
import { cx } from '../../ui/cx';
import { formatBytes, formatCount, plural } from '../../ui/format';
import { ScrollText } from 'lucide-react';
import { pieces, plainText } from './ansi';
import { createLogBook, type LogBook } from './book';
import { atEnd, followAfterScroll } from './follow';
import css from './LogView.module.css';

const LINE_PX = 18;
/** A log that grows is asked for this often although the socket said nothing. Milliseconds. */
const SURE_MS = 2000;

interface Props {
  attempt: string;
  /** Name of the file that "Download all" saves. */
  fileName: string;
  running: boolean;
  /** Lines as far as the socket or the list of attempts told. */
  hint: number;
  /** The line of the address, first is 1. */
  line: number | undefined;
  onLine: (line: number | undefined) => void;
}

function useLogBook(attempt: string, running: boolean, hint: number): LogBook {
  const book = useMemo(
    () => createLogBook((offset, limit, signal) => getLog(attempt, offset, limit, signal)),
    [attempt],
  );
  useEffect(() => book.dispose, [book]);
  useEffect(() => {
    void book.catchUp(hint);
  }, [book, hint, running]);
  useEffect(() => {
    if (!running) return undefined;
    const timer = setInterval(() => void book.catchUp(), SURE_MS);
    return () => clearInterval(timer);
  }, [book, running]);
  return book;
}

export function LogView({ attempt, fileName, running, hint, line, onLine }: Props) {
  const book = useLogBook(attempt, running, hint);
  const state = useStore(book);
  const [wrap, setWrap] = useState(false);
  const search = useSearch(book, state.version);
  const { query, setQuery } = search;
  if (!state.loaded) {
    if (!state.problem) return <SkeletonRows rows={5} label="Loading the log" />;
    return (
      <ErrorState title="The log could not be loaded." detail={sentenceOf(state.problem)} onRetry={() => void book.catchUp(hint)} />
    );
  }
  return (
    <div className={css.log}>
      <div className={css.bar}>
        <SearchBox label="Find in loaded lines" value={query} onChange={setQuery} className={css.search} />
        {query !== '' && <Hits search={search} />}
        <span className={css.space} />
        <IconButton label="Wrap long lines" pressed={wrap} onClick={() => setWrap(!wrap)}>
          <WrapText />
        </IconButton>
        <CopyButton
          label="Copy loaded lines"
          text={() =>
            book
              .loadedLines()
              .map(({ text }) => plainText(text))
              .join('\n')
          }
        />
        <IconLink label="Download all" href={logAddress(attempt)} download={fileName}>
          <Download />
        </IconLink>
      </div>
      {state.droppedBytes > 0 && (
        <Notice look="retrying">
          {formatBytes(state.droppedBytes)} in the middle were dropped: an attempt keeps the head and the tail of a very long log.
        </Notice>
      )}
      {state.problem !== null && <Notice>{sentenceOf(state.problem)} What was loaded stays.</Notice>}
      {state.total === 0 ? (
        <EmptyState icon={<ScrollText />} title={running ? 'Nothing written yet' : 'This attempt wrote nothing'}>
          {running ? 'Lines appear here as soon as the task prints them.' : 'Neither its output nor its errors had a line.'}
        </EmptyState>
      ) : (
        <Lines
          book={book}
          total={state.total}
          version={state.version}
          wrap={wrap}
          query={query}
          target={query !== '' ? search.current : line === undefined ? null : line - 1}
          marked={line}
          onLine={onLine}
          running={running}
        />
      )}
    </div>
  );
}

interface Search {
  query: string;
  setQuery: (query: string) => void;
  hits: number[];
  at: number;
  current: number | null;
  move: (by: number) => void;
}

function useSearch(book: LogBook, version: number): Search {
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(0);
  const hits = useMemo(() => {
    if (query === '') return [];
    const wanted = query.toLowerCase();
    return book
      .loadedLines()
      .filter(({ text }) => plainText(text).toLowerCase().includes(wanted))
      .map(({ index }) => index);
    // The lines live outside of React; their version says when they changed.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [book, version, query]);
  const bounded = Math.min(at, Math.max(0, hits.length - 1));
  return {
    query,
    setQuery: (next) => {
      setQuery(next);
      setAt(0);
    },
    hits,
    at: bounded,
    current: hits[bounded] ?? null,
    move: (by) => setAt(hits.length === 0 ? 0 : (bounded + by + hits.length) % hits.length),
  };
}

function Hits({ search }: { search: Search }) {
  return (
    <span className={css.hits}>
      <span role="status">
        {search.hits.length === 0 ? 'none' : `${formatCount(search.at + 1)} of ${plural(search.hits.length, 'line')}`}
      </span>
      <IconButton label="Previous hit" disabled={search.hits.length === 0} onClick={() => search.move(-1)}>
        <ChevronUp />
      </IconButton>
      <IconButton label="Next hit" disabled={search.hits.length === 0} onClick={() => search.move(1)}>
        <ChevronDown />
      </IconButton>
    </span>
  );
}

interface LinesProps {
  book: LogBook;
  total: number;
  version: number;
  wrap: boolean;
  query: string;
  /** Line to bring into view, 0-based. */
  target: number | null;
  marked: number | undefined;
  onLine: (line: number | undefined) => void;
  running: boolean;
}

function Lines({ book, total, version, wrap, query, target, marked, onLine, running }: LinesProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const [following, setFollowing] = useState(target === null);
  const before = useRef(0);
  const virtual = useVirtualizer({
    count: total,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_PX,
    overscan: 20,
  });
  const items = virtual.getVirtualItems();
  const from = items[0]?.index ?? 0;
  const to = items.at(-1)?.index ?? 0;

  useEffect(() => book.ensure(from, to), [book, from, to, total, version]);
  useEffect(() => virtual.measure(), [virtual, wrap]);
  useEffect(() => {
    if (target === null) return;
    setFollowing(false);
    virtual.scrollToIndex(target, { align: 'center' });
  }, [virtual, target]);
  useEffect(() => {
    if (following && total > 0) virtual.scrollToIndex(total - 1, { align: 'end' });
  }, [virtual, following, total, wrap]);

  const onScroll = useCallback(() => {
    const element = scroller.current;
    if (!element) return;
    const spot = { top: element.scrollTop, height: element.clientHeight, content: element.scrollHeight };
    // Read now: the updater below runs after this function has written it.
    const last = before.current;
    before.current = spot.top;
    setFollowing((known) => followAfterScroll(known, last, spot));
  }, []);

  const digits = String(total).length;
  return (
    <div className={css.frame}>
      <div
        ref={scroller}
        className={cx(css.lines, wrap && css.wrap)}
        onScroll={onScroll}
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label="Log"
      >
        <div className={css.content} style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => (
            <div
              key={item.key}
              ref={wrap ? virtual.measureElement : undefined}
              data-index={item.index}
              className={css.line}
              data-marked={marked === item.index + 1 || undefined}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <button
                type="button"
                tabIndex={-1}
                className={css.number}
                style={{ width: `${digits + 2}ch` }}
                aria-label={`Link to line ${item.index + 1}`}
                onClick={() => onLine(marked === item.index + 1 ? undefined : item.index + 1)}
              >
                {item.index + 1}
              </button>
              <LineText text={book.line(item.index)} query={query} />
            </div>
          ))}
        </div>
      </div>
      {running && !following && (
        <Button
          small
          className={css.follow}
          icon={<ArrowDownToLine />}
          onClick={() => {
            const element = scroller.current;
            setFollowing(true);
            if (element && !atEnd({ top: element.scrollTop, height: element.clientHeight, content: element.scrollHeight }))
              virtual.scrollToIndex(total - 1, { align: 'end' });
          }}
        >
          Paused. Follow
        </Button>
      )}
    </div>
  );
}

const LineText = memo(function LineText({ text, query }: { text: string | undefined; query: string }) {
  if (text === undefined) return <span className={css.absent}>…</span>;
  return (
    <span className={css.text}>
      {pieces(text, query).map((piece, at) => {
        const look = cx(piece.color !== null && css[`c${piece.color}`], piece.bold && css.bold, piece.dim && css.dim);
        if (piece.hit) return <mark key={at}>{piece.text}</mark>;
        return look === '' ? piece.text : <span key={at} className={look}>{piece.text}</span>;
      })}
    </span>
  );
});
