import { Link } from '@tanstack/react-router';
import { Download, PackageOpen } from 'lucide-react';
import { contentAddress } from '../api/artifacts';
import type { Json, JsonMap, TaskInput, TaskOutput, TaskRunDetail } from '../api/types';
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

function Head({ name, type, artifact }: { name: string; type: string; artifact: string | null }) {
  return (
    <div className={css.head}>
      {artifact === null ? (
        <span className={css.name}>{name}</span>
      ) : (
        <Link to="/artifacts/$artifactId" params={{ artifactId: artifact }} className={css.name}>
          {name}
        </Link>
      )}
      <span className={css.type}>{type}</span>
    </div>
  );
}

function InputRow({ input }: { input: TaskInput }) {
  return (
    <div className={css.row}>
      <Head name={input.name} type={input.type} artifact={input.artifact?.artifact ?? null} />
      {input.artifact ? (
        <>
          <Bytes {...input.artifact} />
          <div className={css.meta}>
            {[`from ${input.artifact.task}, ${input.artifact.output}`, shapeOf(input.artifact.meta)].filter(Boolean).join(' · ')}
          </div>
        </>
      ) : (
        <JsonValue value={input.value} />
      )}
    </div>
  );
}

function OutputRow({ output }: { output: TaskOutput }) {
  return (
    <div className={css.row}>
      <Head name={output.name} type={output.type} artifact={output.artifact} />
      {output.sha256 === '' ? (
        <JsonValue value={output.value} />
      ) : (
        <>
          <Bytes {...output} />
          <div className={css.meta}>{shapeOf(output.meta)}</div>
        </>
      )}
    </div>
  );
}

interface BytesProps {
  sha256: string;
  size: number;
  artifact: string;
  media_type: string;
}

function Bytes({ sha256, size, artifact, media_type: mediaType }: BytesProps) {
  return (
    <div className={css.bytes}>
      <Digest value={sha256} />
      <span>{formatBytes(size)}</span>
      {mediaType && <span>{mediaType}</span>}
      <a href={contentAddress(artifact)} download className={css.download}>
        <Download size={13} aria-hidden /> Download
      </a>
    </div>
  );
}

/** "1,797 rows · columns label, p0 and 63 more", as far as the bytes say so. */
function shapeOf(meta: JsonMap): string {
  const rows = typeof meta.rows === 'number' ? `${formatCount(meta.rows)} rows` : '';
  const columns = Array.isArray(meta.columns) && meta.columns.length > 0 ? columnWords(meta.columns) : '';
  return [rows, columns].filter(Boolean).join(' · ');
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
