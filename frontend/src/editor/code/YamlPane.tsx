import type { EditorView } from '@codemirror/view';
import { CornerDownRight } from 'lucide-react';
import { useEffect, useId } from 'react';
import { Button } from '../../ui/Button';
import { requestJump, useJump } from '../jump';
import { useEditor, useEditorStore } from '../store';
import css from './Code.module.css';
import { TAB_HINT } from './setup';
import { lineEnds } from './sync';
import { useCode } from './useCode';
import { enter, follow, reveal, yamlExtensions } from './yaml';

/** The text of the document, edited beside or instead of the canvas. */
export function YamlPane() {
  // CodeMirror learns how lines end once.
  const ends = useEditor(({ doc }) => lineEnds(doc.text));
  return <Yaml key={ends} />;
}

function Yaml() {
  const store = useEditorStore();
  const hint = useId();
  const [place, view] = useCode(
    () => store.getState().doc.text,
    () => yamlExtensions(store, hint),
  );
  useEffect(() => (view ? follow(view, store) : undefined), [view, store]);
  return (
    <section className={css.pane} aria-label="YAML">
      <p id={hint} className="visually-hidden">
        {TAB_HINT}
      </p>
      <div ref={place} className={css.code} />
      {view && <Jumps view={view} />}
      <Broken />
    </section>
  );
}

/** Shows the place that somebody asks for. */
function Jumps({ view }: { view: EditorView }) {
  const store = useEditorStore();
  useJump(({ key, place, line }) => {
    const at = line ?? (key === null ? undefined : store.getState().doc.model.tasks.get(key)?.line);
    if (at === undefined) return;
    // What has neither task nor field can be put right nowhere else.
    if (key === null && !place) enter(view, at);
    else reveal(view, at, 'center');
  });
  return null;
}

/** Why the text cannot be read, and what is shown meanwhile. */
function Broken() {
  const problem = useEditor(({ doc }) => doc.broken[0]);
  if (!problem) return null;
  return (
    <div className={css.broken}>
      <p>
        <strong>Line {problem.line}:</strong> {problem.message} The canvas shows the last text that could be read.
      </p>
      <Button small look="quiet" icon={<CornerDownRight />} onClick={() => requestJump({ key: null, line: problem.line })}>
        Go to line {problem.line}
      </Button>
    </div>
  );
}
