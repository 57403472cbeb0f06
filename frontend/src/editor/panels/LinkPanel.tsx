import { ArrowDown, Trash2 } from 'lucide-react';
import { Button } from '../../ui/Button';
import { KindIcon } from '../../ui/KindIcon';
import { disconnect } from '../document/operations';
import { useEditor, useEditorStore } from '../store';
import css from './Panel.module.css';
import { RuleSelect } from './RuleSelect';
import { Section } from './Section';
import { carriedBy } from './words';

/** One link: what it joins, what it carries, when it lets go. */
export function LinkPanel({ id }: { id: string }) {
  const store = useEditorStore();
  const readOnly = useEditor((state) => state.readOnly);
  const link = useEditor(({ doc }) => doc.model.links.find((each) => each.id === id));
  if (!link) return null;
  const remove = () =>
    store.getState().transact(`Remove the link from ${link.from} to ${link.to}`, (doc) => disconnect(doc, [link.id]));
  return (
    <div className={css.panel} data-panel>
      <div className={css.body}>
        <Section title="Link">
          <End task={link.from} port={link.output} />
          <p className={css.linkRule}>
            <ArrowDown size={14} aria-label="to" /> {carriedBy(link)} · <RuleSelect link={link} />
          </p>
          <End task={link.to} port={link.sort === 'condition' ? 'when' : link.input} />
          {!readOnly && (
            <div className={css.actions}>
              <Button small look="danger" icon={<Trash2 />} onClick={remove}>
                Remove the link
              </Button>
            </div>
          )}
        </Section>
      </div>
    </div>
  );
}

function End({ task: key, port }: { task: string; port: string | null }) {
  const store = useEditorStore();
  const task = useEditor(({ doc }) => doc.model.tasks.get(key));
  return (
    <div className={css.link}>
      <KindIcon kind={task?.kind ?? ''} />
      <Button small look="quiet" onClick={() => store.getState().select([key])}>
        {task?.name ?? key}
      </Button>
      <span className={css.type}>{port}</span>
    </div>
  );
}
