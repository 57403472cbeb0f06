import { mapOf } from '../../ports';
import { useEditor } from '../../store';
import type { KindInfo, TaskModel } from '../../types';
import { SchemaField } from '../form/SchemaField';
import { Section } from '../Section';
import { WorkFields } from './WorkFields';

/** How a worker carries the task out. What it does not say comes from the pipeline's defaults. */
export function RunTab({ task, kind }: { task: TaskModel; kind: KindInfo | undefined }) {
  const defaults = useEditor(({ doc }) => doc.model.head.defaults);
  const cache = kind?.keys.cache;
  return (
    <>
      <WorkFields path={[]} values={task.raw} inherited={mapOf(defaults)} />
      {cache && (
        <Section title="Reuse">
          <SchemaField path={['cache']} schema={cache} value={task.raw.cache} />
        </Section>
      )}
    </>
  );
}
