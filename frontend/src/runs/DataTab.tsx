import { Download, PackageOpen } from 'lucide-react';
import { contentAddress } from '../api/lineage';
import type { Json, TaskInput, TaskOutput, TaskRunDetail } from '../api/types';
import { Digest } from '../ui/Facts';
import { EmptyState } from '../ui/Feedback';
import { formatBytes, formatCount } from '../ui/format';
import { JsonValue } from '../ui/JsonValue';
import { hasEnded } from '../ui/states';
import css from './DataTab.module.css';

/** What the task read and what it gave: values as they are, everything else by digest, size and link. */
export function DataTab({ task }: { task: TaskRunDetail }) {
  if (task.inputs.length === 0 && task.outputs.length === 0) {
    return (
      <EmptyState icon={<PackageOpen />} title="No inputs and no outputs">
        {hasEnded(task.state) ? 'This task took nothing and gave nothing.' : 'They appear when the task begins and ends.'}
      </EmptyState>
    );
  }
  return (
    <>
      <section aria-label="Inputs">
        <h3 className={css.title}>Inputs</h3>
        {task.inputs.length === 0 && <p className={css.none}>It takes none.</p>}
        {task.inputs.map((input) => (
          <InputRow key={input.name} input={input} />
        ))}
      </section>
      <section aria-label="Outputs">
        <h3 className={css.title}>Outputs</h3>
        {task.outputs.length === 0 && (
          <p className={css.none}>{hasEnded(task.state) ? 'It gave none.' : 'None yet: they exist once the task has succeeded.'}</p>
        )}
        {task.outputs.map((output) => (
          <OutputRow key={output.name} output={output} />
        ))}
      </section>
    </>
  );
}

function Head({ name, type }: { name: string; type: string }) {
  return (
    <div className={css.head}>
      <span className={css.name}>{name}</span>
      <span className={css.type}>{type}</span>
    </div>
  );
}

function InputRow({ input }: { input: TaskInput }) {
  return (
    <div className={css.row}>
      <Head name={input.name} type={input.type} />
      {input.artifact ? (
        <Bytes sha256={input.artifact.sha256} size={input.artifact.size} artifact={input.artifact.id} />
      ) : (
        <JsonValue value={input.value ?? null} />
      )}
    </div>
  );
}

function OutputRow({ output }: { output: TaskOutput }) {
  return (
    <div className={css.row}>
      <Head name={output.name} type={output.type} />
      {output.sha256 === null ? (
        <JsonValue value={output.value} />
      ) : (
        <>
          <Bytes sha256={output.sha256} size={output.size} artifact={output.artifact} mediaType={output.media_type} />
          <Meta meta={output.meta} />
        </>
      )}
    </div>
  );
}

interface BytesProps {
  sha256: string;
  size: number | null;
  artifact: string | null;
  mediaType?: string | null;
}

function Bytes({ sha256, size, artifact, mediaType }: BytesProps) {
  return (
    <div className={css.bytes}>
      <Digest value={sha256} />
      {size !== null && <span>{formatBytes(size)}</span>}
      {mediaType && <span>{mediaType}</span>}
      {artifact !== null && (
        <a href={contentAddress(artifact)} download className={css.download}>
          <Download size={13} aria-hidden /> Download
        </a>
      )}
    </div>
  );
}

function Meta({ meta }: { meta: Record<string, Json> | null }) {
  if (!meta) return null;
  const rows = typeof meta.rows === 'number' ? `${formatCount(meta.rows)} rows` : null;
  const columns = Array.isArray(meta.columns) ? columnWords(meta.columns) : null;
  if (!rows && !columns) return null;
  return <div className={css.meta}>{[rows, columns].filter(Boolean).join(' · ')}</div>;
}

/** A column is its name, or an object that has one. */
function columnName(column: Json): string {
  const name = column !== null && typeof column === 'object' && !Array.isArray(column) ? column.name : column;
  return typeof name === 'string' ? name : JSON.stringify(name ?? null);
}

function columnWords(columns: Json[]): string {
  const names = columns.map(columnName);
  const shown = names.slice(0, 6).join(', ');
  return names.length > 6 ? `${shown} and ${names.length - 6} more columns` : `columns ${shown}`;
}
