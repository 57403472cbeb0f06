import { useEditor } from '../../store';
import type { JsonMap } from '../../types';
import { SchemaField } from '../form/SchemaField';
import type { Path } from '../form/target';
import { Section } from '../Section';

interface Props {
  path: Path;
  values: JsonMap;
  /** What holds where nothing is written here. */
  inherited: JsonMap;
}

/** Queue, timeout, retries, resources and start: of a task, or the defaults of the pipeline. */
export function WorkFields({ path, values, inherited }: Props) {
  const work = useEditor(({ catalogue }) => catalogue.work);
  const queues = useEditor(({ catalogue }) => catalogue.queues);
  const field = (key: string, choices?: readonly string[]) => {
    const schema = work[key];
    const usual = inherited[key];
    return (
      schema && (
        <SchemaField
          path={[...path, key]}
          schema={schema}
          value={values[key]}
          {...(usual === undefined ? {} : { inherited: usual })}
          {...(choices ? { choices } : {})}
        />
      )
    );
  };
  return (
    <>
      <Section title="Where and how long">
        {field('queue', queues)}
        {field('timeout')}
        {field('start')}
        {field('resources')}
      </Section>
      <Section title="When it fails">{field('retries')}</Section>
    </>
  );
}
