import { type Extension, RangeSetBuilder } from '@codemirror/state';
import { Decoration, type DecorationSet, EditorView, ViewPlugin, type ViewUpdate } from '@codemirror/view';

/*
 * Long lines go on below themselves, a little further in than they begin. By classes, as a strict content security
 * policy allows no style attributes.
 */

/** What is indented deeper hangs as if it were so deep. Spaces. */
const DEEPEST = 32;
/** How much further in the rest of a line begins. */
const FURTHER = 2;

const depths = Array.from({ length: DEEPEST + 1 }, (_, depth) => depth);
const lines = depths.map((depth) => Decoration.line({ class: `cm-hanging-${depth}` }));

const look = EditorView.theme(
  Object.fromEntries(
    depths.map((depth) => [
      `.cm-line.cm-hanging-${depth}`,
      { paddingLeft: `calc(6px + ${depth + FURTHER}ch)`, textIndent: `-${depth + FURTHER}ch` },
    ]),
  ),
);

const plugin = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;

    constructor(view: EditorView) {
      this.decorations = visible(view);
    }

    update({ docChanged, viewportChanged, view }: ViewUpdate) {
      if (docChanged || viewportChanged) this.decorations = visible(view);
    }
  },
  { decorations: (shown) => shown.decorations },
);

function visible(view: EditorView): DecorationSet {
  const found = new RangeSetBuilder<Decoration>();
  for (const { from, to } of view.visibleRanges) {
    for (let at = from; at <= to; ) {
      const line = view.state.doc.lineAt(at);
      const depth = Math.min(line.text.length - line.text.trimStart().length, DEEPEST);
      const decoration = lines[depth];
      if (decoration) found.add(line.from, line.from, decoration);
      at = line.to + 1;
    }
  }
  return found.finish();
}

export const hanging: Extension = [EditorView.lineWrapping, plugin, look];
