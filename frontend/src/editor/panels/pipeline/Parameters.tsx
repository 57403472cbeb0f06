import { ChevronRight, Trash2 } from 'lucide-react';
import { useMemo, useState } from 'react';
import { Button, IconButton } from '../../../ui/Button';
import { renameParameter } from '../../document/operations';
import { mapOf } from '../../ports';
import { useEditor, useEditorStore } from '../../store';
import type { Json, JsonMap } from '../../types';
import { idOf, Said } from '../form/FieldFrame';
import { NameInput, NewName } from '../form/Nested';
import type { Schema } from '../form/schema';
import { SchemaField } from '../form/SchemaField';
import { useProblemsAt, useTarget } from '../form/target';
import css from '../Panel.module.css';
import { Section } from '../Section';
import own from './Parameters.module.css';
import { usesOf } from './uses';

/** What a run can be told. A new name is followed by every reference. */
export function Parameters() {
  const { readOnly, set } = useTarget();
  const problems = useProblemsAt(['parameters']);
  const written = useEditor(({ doc }) => doc.model.head.parameters);
  const parameters = mapOf(written);
  // A new one is open: its type and default come next.
  const [added, setAdded] = useState<string | null>(null);
  const add = (name: string) => {
    setAdded(name);
    set(['parameters', name], { type: 'string' });
  };
  return (
    <Section title="Parameters">
      <Said said={problems} />
      {Object.keys(parameters).length === 0 && <p className={css.words}>None: every run does the same.</p>}
      {Object.entries(parameters).map(([name, spec]) => (
        <Parameter key={name} name={name} spec={mapOf(spec)} isNew={name === added} />
      ))}
      <NewName noun="parameter" taken={Object.keys(parameters)} readOnly={readOnly} onAdd={add} />
    </Section>
  );
}

function Parameter({ name, spec, isNew }: { name: string; spec: JsonMap; isNew: boolean }) {
  const store = useEditorStore();
  const { readOnly, set } = useTarget();
  const [open, setOpen] = useState(isNew);
  const model = useEditor(({ doc }) => doc.model);
  const uses = useMemo(() => usesOf(model, name), [model, name]);
  const path = ['parameters', name];
  const problems = useProblemsAt(path, true);
  const rename = (to: string) => store.getState().transact(`Rename ${name} to ${to}`, (doc) => renameParameter(doc, name, to));
  const isOpen = open || problems.length > 0;
  return (
    <div id={idOf(path)} className={own.parameter}>
      <div className={own.head}>
        <IconButton label={`${isOpen ? 'Close' : 'Open'} ${name}`} aria-expanded={isOpen} className={own.toggle} onClick={() => setOpen(!isOpen)}>
          <ChevronRight />
        </IconButton>
        <NameInput name={name} label={`Name of parameter ${name}`} readOnly={readOnly} onRename={rename} />
        <span className={css.type}>{typeof spec.type === 'string' ? spec.type : ''}</span>
      </div>
      {isOpen && (
        <div className={own.body}>
          <Fields name={name} spec={spec} />
          <div className={own.foot}>
            <span className={css.count}>{wordsOf(uses)}</span>
            <Button small look="quiet" icon={<Trash2 />} disabled={readOnly} onClick={() => set(path, undefined)}>
              Remove {name}
            </Button>
          </div>
        </div>
      )}
    </div>
  );
}

function wordsOf(uses: readonly string[]): string {
  if (uses.length === 0) return 'Not used.';
  const named = uses.slice(0, 3).join(', ');
  return `Used by ${uses.length > 3 ? `${named} and ${uses.length - 3} more` : named}.`;
}

const TYPE: Schema = { enum: ['string', 'number', 'integer', 'boolean', 'json'] };
const TEXT: Schema = { type: 'string', 'x-lines': 2 };
const NUMBER: Schema = { type: 'number' };
const LENGTH: Schema = { type: 'integer', minimum: 0 };
const VALUES: Readonly<Record<string, Schema>> = {
  string: { type: 'string' },
  number: { type: 'number' },
  integer: { type: 'integer' },
  boolean: { type: 'boolean' },
};

/** The keys that a parameter of each type has beside `type`, `default` and `description`. */
const LIMITS: Readonly<Record<string, readonly (readonly [string, Schema])[]>> = {
  number: [['minimum', NUMBER], ['maximum', NUMBER]],
  integer: [['minimum', NUMBER], ['maximum', NUMBER]],
  string: [['min_length', LENGTH], ['max_length', LENGTH]],
};

function Fields({ name, spec }: { name: string; spec: JsonMap }) {
  const path = ['parameters', name];
  const type = typeof spec.type === 'string' ? spec.type : '';
  const value = VALUES[type] ?? {};
  const field = (key: string, schema: Schema) => <SchemaField key={key} path={[...path, key]} schema={schema} value={spec[key]} />;
  return (
    <>
      <SchemaField path={[...path, 'type']} schema={TYPE} value={spec.type} required />
      {field('default', withLimits(value, spec))}
      <div className={own.pair}>{(LIMITS[type] ?? []).map(([key, schema]) => field(key, schema))}</div>
      {type !== 'boolean' && type !== 'json' && (
        <SchemaField path={[...path, 'enum']} schema={{ type: 'array', items: value, description: 'The only values; any when there are none.' }} value={spec.enum} label="Choices" />
      )}
      {field('description', TEXT)}
    </>
  );
}

/** A default keeps to the limits, where they are what they should be. */
function withLimits(schema: Schema, { minimum, maximum }: JsonMap): Schema {
  const limits: Record<string, Json> = {};
  if (typeof minimum === 'number') limits.minimum = minimum;
  if (typeof maximum === 'number') limits.maximum = maximum;
  return { ...schema, ...limits };
}
