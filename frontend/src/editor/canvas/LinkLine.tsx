import { BaseEdge, EdgeLabelRenderer, type EdgeProps } from '@xyflow/react';
import { Plus, Trash2 } from 'lucide-react';
import { memo, type MouseEvent } from 'react';
import { freePathOf } from '../../graph/route';
import { requestAdd } from '../adding';
import { disconnect } from '../document/operations';
import { useEditorStore } from '../store';
import type { LinkEdge } from './scene';
import { between } from './spots';
import css from './LinkLine.module.css';

/** A link: data is a plain line, order a thinner one, a condition the accent's; what it depends on stands on it. */
export const LinkLine = memo(function LinkLine({ id, sourceX, sourceY, targetX, targetY, data, selected }: EdgeProps<LinkEdge>) {
  const [from, to] = [{ x: sourceX, y: sourceY }, { x: targetX, y: targetY }];
  const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
  const label = data?.label ?? '';
  return (
    <g className={css.link} data-sort={data?.sort} data-selected={selected ? true : undefined}>
      <title>{data?.title}</title>
      <BaseEdge id={id} path={freePathOf(from, to)} interactionWidth={16} />
      {(label !== '' || selected) && (
        <EdgeLabelRenderer>
          <div className={`${css.label ?? ''} nodrag nopan`} style={{ transform: `translate(-50%, -50%) translate(${middle.x}px, ${middle.y}px)` }}>
            {label !== '' && <span className={css.words}>{label}</span>}
            {selected && <Tools id={id} title={data?.title ?? ''} />}
          </div>
        </EdgeLabelRenderer>
      )}
    </g>
  );
});

function Tools({ id, title }: { id: string; title: string }) {
  const store = useEditorStore();
  const insert = (event: MouseEvent) => {
    const request = between(store.getState(), id, { x: event.clientX, y: event.clientY });
    if (request) requestAdd(store, request);
  };
  return (
    <span className={css.tools}>
      <button type="button" tabIndex={-1} title="Insert a task here" aria-label={`Insert a task into ${title}`} onClick={insert}>
        <Plus size={14} />
      </button>
      <button
        type="button"
        tabIndex={-1}
        title="Delete the link"
        aria-label={`Delete the link ${title}`}
        onClick={() => store.getState().transact(`Delete link ${title}`, (doc) => disconnect(doc, [id]))}
      >
        <Trash2 size={14} />
      </button>
    </span>
  );
}
