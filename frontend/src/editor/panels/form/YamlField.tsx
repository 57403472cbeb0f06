import { parse, stringify } from 'yaml';
import { Textarea } from '../../../ui/Fields';
import type { Json } from '../../types';
import { faultOf } from './check';
import { FieldFrame } from './FieldFrame';
import { descriptionOf } from './schema';
import type { Named } from './SchemaField';
import { useProblemsAt, useTarget } from './target';
import { useTyped, type Parsed } from './typed';
import css from './Nested.module.css';

/** A value that no other control fits: written as it stands in the document. */
export function YamlField({ path, schema, value, label, required = false }: Named) {
  const { readOnly, set } = useTarget();
  const problems = useProblemsAt(path, true);
  const { text, fault, onText } = useTyped(value, parseYaml, (next) => set(path, next), yamlOf);
  return (
    <FieldFrame
      path={path}
      label={label}
      note={required ? 'YAML, required' : 'YAML'}
      hint={descriptionOf(schema)}
      fault={fault ?? faultOf(schema, value)}
      problems={fault === null ? problems : []}
    >
      {(ids) => (
        <Textarea {...ids} className={css.code} rows={4} spellCheck={false} readOnly={readOnly} value={text} onChange={(event) => onText(event.target.value)} />
      )}
    </FieldFrame>
  );
}

function yamlOf(value: Json | undefined): string {
  return value === undefined ? '' : stringify(value).trimEnd();
}

function parseYaml(text: string): Parsed {
  if (text.trim() === '') return { value: undefined };
  try {
    const value: unknown = parse(text, { schema: 'core', maxAliasCount: 0 });
    return { value: JSON.parse(JSON.stringify(value)) as Json };
  } catch (error) {
    const [first = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    return { fault: `Not taken over, as it is not valid YAML: ${first}` };
  }
}
