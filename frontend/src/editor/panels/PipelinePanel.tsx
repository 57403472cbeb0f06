import { CornerDownRight } from 'lucide-react';
import { useRef } from 'react';
import { Button } from '../../ui/Button';
import { Notice } from '../../ui/Feedback';
import { Select } from '../../ui/Fields';
import { goToProblem, useJump } from '../jump';
import { mapOf } from '../ports';
import { useEditor, useEditorStore } from '../store';
import type { Problem } from '../types';
import { unreadable } from '../unreadable';
import { FieldFrame, Said } from './form/FieldFrame';
import { SchemaField } from './form/SchemaField';
import { FormTarget, useProblemsAt, useTarget } from './form/target';
import { textOf } from './form/typed';
import css from './Panel.module.css';
import { Parameters } from './pipeline/Parameters';
import { Section } from './Section';
import { focusPlace } from './task/OneTaskPanel';
import { WorkFields } from './task/WorkFields';

const TITLE = { type: 'string', maxLength: 200 };
const DESCRIPTION = { type: 'string', maxLength: 10_000, 'x-lines': 3 };
const FOLLOW = { enum: ['published', 'latest'], default: 'published', description: 'published: the code as it was when the version was published.' };
const OVERLAP = {
  enum: ['queue', 'skip', 'cancel_previous'],
  description: 'What a run does while another of the pipeline is under way. Not set: they go side by side.',
};
const PRIORITY = { enum: ['low', 'normal', 'high', 'critical'], default: 'normal' };

/** The pipeline itself: what it is called, its parameters, its code, and what its tasks share. */
export function PipelinePanel() {
  const broken = useEditor(({ doc }) => doc.broken[0]);
  const unread = useEditor(({ doc }) => unreadable(doc)) !== null;
  const panel = useRef<HTMLDivElement>(null);
  useJump(({ key, place = '' }) => {
    if (key === null) setTimeout(() => focusPlace(panel.current, place));
  });
  return (
    <div ref={panel} className={css.panel} data-panel>
      <FormTarget task={null} locked={broken !== undefined}>
        <div className={css.body}>
          {broken && <Broken problem={broken} unread={unread} />}
          {!unread && <Fields />}
        </div>
      </FormTarget>
    </div>
  );
}

function Fields() {
  const head = useEditor(({ doc }) => doc.model.head);
  return (
    <>
      <Section title="Pipeline">
        <OfNoField />
        <SchemaField path={['title']} schema={TITLE} value={head.title} />
        <SchemaField path={['description']} schema={DESCRIPTION} value={head.description} />
        <SchemaField path={['purpose']} schema={DESCRIPTION} value={head.purpose} />
      </Section>
      <Parameters />
      <Code />
      <WorkFields path={['defaults']} values={mapOf(head.defaults)} inherited={{ queue: 'cpu' }} />
      <Section title="Runs">
        <SchemaField path={['overlap']} schema={OVERLAP} value={head.overlap} />
        <SchemaField path={['priority']} schema={PRIORITY} value={head.priority} />
        <Triggers />
      </Section>
    </>
  );
}

/** Why no field can be changed. */
function Broken({ problem, unread }: { problem: Problem; unread: boolean }) {
  const store = useEditorStore();
  return (
    <div className={css.broken}>
      <Notice look="retrying">
        The YAML cannot be read, so {unread ? 'what the pipeline says is not known' : 'these fields show what it said last'}, and nothing can be changed here.
        Fix it first: line {problem.line}, {problem.message}
      </Notice>
      <Button small look="quiet" icon={<CornerDownRight />} onClick={() => goToProblem(store, problem)}>
        Go to line {problem.line}
      </Button>
    </div>
  );
}

/** Problems of the document as a whole, and of its fields that are not on this panel. */
function OfNoField() {
  const whole = useProblemsAt([]);
  const name = useProblemsAt(['name']);
  const schema = useProblemsAt(['schema']);
  const tasks = useProblemsAt(['tasks']);
  return <Said said={[...whole, ...schema, ...name, ...tasks]} />;
}

function Code() {
  const { readOnly, set } = useTarget();
  const locations = useEditor(({ catalogue }) => catalogue.locations);
  const code = useEditor(({ doc }) => doc.model.head.code);
  const location = useEditor(({ doc }) => doc.model.location);
  const problems = useProblemsAt(['code', 'location']);
  const of = useProblemsAt(['code']);
  const known = location !== null && !locations.includes(location) ? [...locations, location] : locations;
  const choose = (name: string) => (name === '' ? set(['code'], undefined) : set(['code', 'location'], name));
  return (
    <Section title="Code">
      <FieldFrame
        path={['code', 'location']}
        label="Code location"
        hint={locations.length === 0 ? 'None yet: have a site admin register one.' : 'Where the functions of its python tasks come from.'}
        problems={[...of, ...problems]}
      >
        {(ids) => (
          <Select {...ids} value={location ?? ''} disabled={readOnly} onChange={(event) => choose(event.target.value)}>
            <option value="">None</option>
            {known.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </Select>
        )}
      </FieldFrame>
      {location !== null && <SchemaField path={['code', 'follow']} schema={FOLLOW} value={mapOf(code).follow} />}
    </Section>
  );
}

/** Triggers are read here and written in the YAML. */
function Triggers() {
  const store = useEditorStore();
  const triggers = useEditor(({ doc }) => doc.model.head.triggers);
  const problems = useProblemsAt(['triggers'], true);
  const rows = Object.entries(mapOf(triggers));
  return (
    <div id="field-triggers" tabIndex={-1}>
      <p className={css.words}>{rows.length === 0 ? 'No triggers: it runs when somebody, or a program, asks for it.' : 'Triggers'}</p>
      <ul>
        {rows.map(([name, trigger]) => (
          <li key={name}>
            <strong>{name}</strong> {Object.entries(mapOf(trigger)).map(([key, value]) => `${key}: ${textOf(value)}`).join(', ')}
          </li>
        ))}
      </ul>
      <Said said={problems} />
      <Button small look="quiet" onClick={() => store.getState().setView('split')}>
        Edit triggers in the YAML
      </Button>
    </div>
  );
}
