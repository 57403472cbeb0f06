import { CircleCheck, Hourglass, Network, Rows3, X } from 'lucide-react';
import { getRouteApi } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useMemo } from 'react';
import type { Trace, TraceNode } from '../api/types';
import { IconButton } from '../ui/Button';
import { cx } from '../ui/cx';
import { SkeletonRows } from '../ui/Feedback';
import { KindIcon } from '../ui/KindIcon';
import { Section } from '../ui/Page';
import { Segments } from '../ui/Segments';
import table from '../ui/Table.module.css';
import { NodeDetail } from './NodeDetail';
import css from './TraceView.module.css';
import { labelOf, ofType, sortNodes, TYPE_WORDS } from './words';

const TraceGraph = lazy(() => import('./TraceGraph').then((module) => ({ default: module.TraceGraph })));
const route = getRouteApi('/shell/deployments/$endpoint');

/** Everything the deployed model came from, as a graph or as a list, with the detail of what is selected. */
export function TraceView({ trace }: { trace: Trace }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const view = search.view ?? 'graph';
  const selected = search.node ?? null;
  const select = useCallback(
    (node: string | null) => void navigate({ search: (old) => ({ ...old, node: node ?? undefined }), replace: true }),
    [navigate],
  );
  const node = useMemo(() => trace.nodes.find((each) => each.id === selected) ?? null, [trace.nodes, selected]);
  return (
    <Section
      title="Trace"
      flush
      actions={
        <div className={css.actions}>
          <Completeness trace={trace} />
          <Segments
            label="View of the trace"
            value={view}
            onChange={(next) =>
              void navigate({ search: (old) => ({ ...old, view: next === 'graph' ? undefined : next }), replace: true })
            }
            items={[
              { value: 'graph', label: <><Network aria-hidden /> Graph</> },
              { value: 'list', label: <><Rows3 aria-hidden /> List</> },
            ]}
          />
        </div>
      }
    >
      {!trace.complete && trace.missing.length > 0 && (
        <ul className={css.missing} data-look="retrying">
          {trace.missing.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      )}
      <div className={css.body}>
        <div className={css.main}>
          {view === 'graph' ? (
            <Suspense fallback={<SkeletonRows label="Loading the graph" />}>
              <TraceGraph
                label="Trace of the deployed model"
                nodes={trace.nodes}
                edges={trace.edges}
                start="end"
                selected={selected}
                onSelect={select}
              />
            </Suspense>
          ) : (
            <NodeList nodes={trace.nodes} selected={selected} onSelect={select} />
          )}
        </div>
        {node && (
          <aside className={css.detail} aria-label={`Details of ${node.label}`}>
            <div className={css.detailHead}>
              <KindIcon kind={node.type} />
              <h3 title={node.label}>{labelOf(node)}</h3>
              <IconButton label="Close the details" onClick={() => select(null)}>
                <X />
              </IconButton>
            </div>
            <NodeDetail node={node} />
          </aside>
        )}
      </div>
    </Section>
  );
}

function Completeness({ trace }: { trace: Trace }) {
  return trace.complete ? (
    <span className={css.complete} data-look="succeeded">
      <CircleCheck aria-hidden /> Complete
    </span>
  ) : (
    <span className={css.complete} data-look="retrying" role="status">
      <Hourglass aria-hidden /> Not complete yet
    </span>
  );
}

interface ListProps {
  nodes: readonly TraceNode[];
  selected: string | null;
  onSelect: (node: string) => void;
}

function NodeList({ nodes, selected, onSelect }: ListProps) {
  return (
    <div className={css.list}>
      <table className={cx(table.table, table.dense)}>
        <thead>
          <tr>
            <th>Name</th>
            <th>Kind</th>
          </tr>
        </thead>
        <tbody>
          {sortNodes(nodes).map((node) => (
            <tr key={node.id} aria-selected={node.id === selected}>
              <td className={table.name}>
                <button type="button" className={css.open} onClick={() => onSelect(node.id)}>
                  {labelOf(node)}
                </button>
              </td>
              <td className={table.soft}>{TYPE_WORDS[node.type]}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {ofType(nodes, 'record').length === 0 && <p className={css.none}>No record is sealed yet.</p>}
    </div>
  );
}

