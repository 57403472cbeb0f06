import { useEditor } from '../store';
import { LinkPanel } from './LinkPanel';
import { ManyPanel } from './ManyPanel';
import { PipelinePanel } from './PipelinePanel';
import { OneTaskPanel } from './task/OneTaskPanel';

/** The right-hand panel: of the one task or link that is selected, of several tasks, else of the pipeline. */
export function TaskPanel() {
  const tasks = useEditor(({ selection, doc }) => selectedIn(selection, (id) => doc.model.tasks.has(id)));
  const links = useEditor(({ selection, doc }) => selectedIn(selection, (id) => doc.model.links.some((link) => link.id === id)));
  if (tasks === '' && links !== '' && !links.includes(BETWEEN)) return <LinkPanel id={links} />;
  if (tasks === '') return <PipelinePanel />;
  const keys = tasks.split(BETWEEN);
  return keys.length === 1 ? <OneTaskPanel taskKey={tasks} /> : <ManyPanel keys={keys} />;
}

const BETWEEN = '\n';

/** As one text, so that it is equal while the same things are selected. */
function selectedIn(selection: ReadonlySet<string>, is: (id: string) => boolean): string {
  return [...selection].filter(is).join(BETWEEN);
}
