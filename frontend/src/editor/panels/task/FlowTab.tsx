import { TextCursorInput, X } from 'lucide-react';
import { useRef, useState } from 'react';
import { Button, IconButton } from '../../../ui/Button';
import { Select, Textarea } from '../../../ui/Fields';
import { KindIcon } from '../../../ui/KindIcon';
import { beyond } from '../../../graph/judge';
import { connectOrder, disconnect } from '../../document/operations';
import { useEditor, useEditorStore } from '../../store';
import type { LinkModel, TaskModel } from '../../types';
import { FieldFrame } from '../form/FieldFrame';
import { useProblemsAt, useTarget } from '../form/target';
import { parseText, useTyped } from '../form/typed';
import css from '../Panel.module.css';
import { ReferencePicker } from '../ReferencePicker';
import { namesFor, type Candidate } from '../references';
import { RuleSelect } from '../RuleSelect';
import { Section } from '../Section';
import { carriedBy } from '../words';
import { PlaceSection } from './PlaceSection';

/** When a task runs: its condition, what it waits for, and the group it is in. */
export function FlowTab({ task }: { task: TaskModel }) {
  return (
    <>
      <Section title="Condition">
        <Condition task={task} />
      </Section>
      <WaitsFor task={task} />
      <PlaceSection task={task} />
    </>
  );
}

function Condition({ task }: { task: TaskModel }) {
  const store = useEditorStore();
  const { readOnly, set } = useTarget();
  const problems = useProblemsAt(['when']);
  const [picking, setPicking] = useState(false);
  const control = useRef<HTMLTextAreaElement>(null);
  const { text, onText } = useTyped(task.raw.when, parseText, (next) => set(['when'], next));
  const names = () => {
    const { doc, catalogue, judged } = store.getState();
    return namesFor(task, { model: doc.model, catalogue, judged });
  };
  const insert = ({ text: name }: Candidate) => {
    const { selectionStart: start = text.length, selectionEnd: end = text.length } = control.current ?? {};
    onText(text.slice(0, start) + name + text.slice(end));
    setTimeout(() => {
      control.current?.focus();
      control.current?.setSelectionRange(start + name.length, start + name.length);
    });
  };
  return (
    <FieldFrame
      path={['when']}
      label="Runs when"
      hint="An expression such as params.rate > 0.5. Without one it runs as soon as what it waits for has ended as wanted."
      problems={problems}
      aside={
        !readOnly && (
          <ReferencePicker label="the condition" open={picking} onOpenChange={setPicking} candidates={names} onChoose={insert} empty="No value is known here yet.">
            <IconButton label="Insert a value into the condition" className={css.small}>
              <TextCursorInput />
            </IconButton>
          </ReferencePicker>
        )
      }
    >
      {(ids) => (
        <Textarea
          {...ids}
          ref={control}
          rows={2}
          spellCheck={false}
          readOnly={readOnly}
          value={text}
          onChange={(event) => onText(event.target.value)}
        />
      )}
    </FieldFrame>
  );
}

function WaitsFor({ task }: { task: TaskModel }) {
  const store = useEditorStore();
  const { readOnly } = useTarget();
  const model = useEditor(({ doc }) => doc.model);
  const links = model.links.filter(({ to }) => to === task.key);
  const waiting = new Set(links.filter(({ sort }) => sort === 'order').map(({ from }) => from));
  const after = beyond(model.links, task.key, 'down');
  const others = [...model.tasks.values()].filter(
    ({ key, parent }) => parent === task.parent && key !== task.key && !waiting.has(key) && !after.has(key),
  );
  const add = (from: string) => {
    const name = model.tasks.get(from)?.name ?? from;
    store.getState().transact(`Let ${task.name} wait for ${name}`, (doc) => connectOrder(doc, from, task.key));
  };
  return (
    <Section title="Waits for">
      {links.length === 0 && <p className={css.words}>Nothing: it is among the first.</p>}
      <ul className={css.rows} id="field-needs">
        {links.map((link) => (
          <Wait key={link.id} link={link} />
        ))}
      </ul>
      {!readOnly && others.length > 0 && (
        <label>
          <span className="visually-hidden">Wait for another task</span>
          <Select value="" onChange={(event) => add(event.target.value)}>
            <option value="">Wait for another task…</option>
            {others.map(({ key, name }) => (
              <option key={key} value={key}>
                {name}
              </option>
            ))}
          </Select>
        </label>
      )}
    </Section>
  );
}

function Wait({ link }: { link: LinkModel }) {
  const store = useEditorStore();
  const { readOnly } = useTarget();
  const from = useEditor(({ doc }) => doc.model.tasks.get(link.from));
  const name = from?.name ?? link.from;
  const remove = () => store.getState().transact(`Remove the link from ${name}`, (doc) => disconnect(doc, [link.id]));
  return (
    <li className={css.link}>
      <KindIcon kind={from?.kind ?? ''} size={14} />
      <Button small look="quiet" onClick={() => store.getState().select([link.from])}>
        {name}
      </Button>
      <IconButton label={`Remove the link from ${name} (${carriedBy(link)})`} className={css.small} disabled={readOnly} onClick={remove}>
        <X />
      </IconButton>
      <span className={css.linkRule}>
        {carriedBy(link)} · <RuleSelect link={link} />
      </span>
    </li>
  );
}
