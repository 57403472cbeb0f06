import { useEffect } from 'react';
import { client, dataOf } from '../api/client';
import { useEditorStore, type EditorStore } from './store';
import type { Judged } from './types';

/** Milliseconds without a change before the server is asked, and after which it is asked again when it did not answer. */
const PAUSE = 400;
const AGAIN = 10_000;

type Answer = Omit<Judged, 'text' | 'model'>;

/** Has the server judge the document whenever its text has changed. Mounted once, by the page. */
export function useValidation(): void {
  const store = useEditorStore();
  useEffect(() => judgeChanges(store), [store]);
}

/**
 * Asks for the text that is there now and, after a pause, for each later one; an older question is given up. What was not
 * answered is asked again. Returns what ends it.
 */
export function judgeChanges(store: EditorStore): () => void {
  let request: AbortController | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const cancel = () => {
    clearTimeout(timer);
    request?.abort();
  };
  const ask = () => {
    // What cannot be read needs no judge, and the last judgement is wanted again once it can.
    if (store.getState().doc.broken.length > 0) return;
    const { signal } = (request = new AbortController());
    void judge(store, signal).then((answered) => {
      if (!answered && !signal.aborted) timer = setTimeout(ask, AGAIN);
    });
  };
  const unsubscribe = store.subscribe(({ doc, judged }, before) => {
    const unloaded = judged === null && before.judged !== null;
    if (doc.text === before.doc.text && !unloaded) return;
    cancel();
    if (judged?.text !== doc.text) timer = setTimeout(ask, PAUSE);
  });
  ask();
  return () => {
    unsubscribe();
    cancel();
  };
}

/** False without an answer. */
async function judge(store: EditorStore, signal: AbortSignal): Promise<boolean> {
  const { doc, address } = store.getState();
  const answer = await validate(doc.text, address.split(':', 1)[0] ?? '', signal).catch(() => null);
  if (answer && !signal.aborted) store.getState().setJudged({ text: doc.text, ...answer, model: doc.model });
  return answer !== null;
}

async function validate(document: string, team: string, signal: AbortSignal): Promise<Answer> {
  return dataOf<unknown, Answer>(client.POST('/api/v1/validate/', { body: { document, team }, signal }));
}
