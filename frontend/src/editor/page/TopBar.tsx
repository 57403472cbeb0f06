import { Link } from '@tanstack/react-router';
import { ChevronLeft, History, LayoutDashboard, Maximize, Play, Redo2, Send, TriangleAlert, Undo2 } from 'lucide-react';
import type { ReactNode } from 'react';
import { addressOf } from '../../api/pipelines';
import type { Pipeline } from '../../api/types';
import { Button, IconButton } from '../../ui/Button';
import { Segments } from '../../ui/Segments';
import { COMMANDS } from '../commands';
import { useProblemCounts } from '../problems';
import { useSave } from '../saving';
import { useEditor, type EditorState, type View } from '../store';
import { SaveStatus } from './SaveStatus';
import { useStage } from './stage';
import css from './TopBar.module.css';

const VIEWS: { value: View; label: string }[] = [
  { value: 'canvas', label: 'Canvas' },
  { value: 'split', label: 'Split' },
  { value: 'yaml', label: 'YAML' },
];

/** Where one is and how it stands, and the gestures that everybody looks for. */
export function TopBar({ pipeline }: { pipeline: Pipeline }) {
  const { store } = useStage();
  const view = useEditor((state) => state.view);
  return (
    <header className={css.bar}>
      <Where pipeline={pipeline} />
      <span className={css.group}>
        <CommandButton id="undo" label="Undo" enabled={({ history }) => history.past.length > 0}>
          <Undo2 />
        </CommandButton>
        <CommandButton id="redo" label="Redo" enabled={({ history }) => history.future.length > 0}>
          <Redo2 />
        </CommandButton>
      </span>
      <span className={css.group}>
        <CommandButton id="tidy" label="Tidy" enabled={({ doc }) => doc.model.tasks.size > 0}>
          <LayoutDashboard />
        </CommandButton>
        <FitButton />
      </span>
      <Segments label="View" value={view} items={VIEWS} onChange={(next) => store.getState().setView(next)} />
      <span className={css.space} />
      <Acts pipeline={pipeline} />
    </header>
  );
}

function Where({ pipeline }: { pipeline: Pipeline }) {
  const revision = useSave(({ etag }) => etag.replaceAll('"', ''));
  return (
    <div className={css.where}>
      <Link
        to="/pipelines/$name"
        params={{ name: addressOf(pipeline) }}
        className={css.back}
        title={`Back to ${pipeline.title || pipeline.name}`}
      >
        <ChevronLeft aria-hidden size={16} />
        <h1 className={css.name}>{pipeline.name}</h1>
      </Link>
      <span className={css.revision}>Draft r{revision}</span>
      <SaveStatus />
    </div>
  );
}

interface CommandButtonProps {
  id: string;
  label: string;
  enabled: (state: EditorState) => boolean;
  children: ReactNode;
}

function CommandButton({ id, label, enabled, children }: CommandButtonProps) {
  const stage = useStage();
  const can = useEditor((state) => enabled(state) && !state.readOnly);
  const command = COMMANDS.find((each) => each.id === id);
  const keys = command?.keys?.[0];
  if (!command) return null;
  return (
    <IconButton
      label={label}
      title={keys === undefined ? label : `${label} (${keys.replace('Mod', 'Ctrl')})`}
      // Not `disabled`, which would take the focus away from the one who pressed it last.
      aria-disabled={!can}
      onClick={() => can && command.perform(stage)}
    >
      {children}
    </IconButton>
  );
}

function FitButton() {
  const { camera } = useStage();
  return (
    <IconButton label="Fit" disabled={camera === null} onClick={() => camera?.fit()}>
      <Maximize />
    </IconButton>
  );
}

function Acts({ pipeline }: { pipeline: Pipeline }) {
  const stage = useStage();
  const readOnly = useEditor((state) => state.readOnly);
  return (
    <span className={css.acts}>
      <ProblemsButton />
      <Button small look="quiet" icon={<History />} onClick={() => stage.open('history')}>
        History
      </Button>
      {!readOnly && (
        <Button small icon={<Send />} onClick={() => stage.open('publish')}>
          Publish
        </Button>
      )}
      {pipeline.can.run && !readOnly && (
        <Button small look="primary" icon={<Play />} onClick={() => stage.open('run')}>
          Run
        </Button>
      )}
    </span>
  );
}

function ProblemsButton() {
  const stage = useStage();
  const { errors, warnings } = useProblemCounts();
  const count = errors + warnings;
  return (
    <Button
      small
      look="quiet"
      className={css.problems}
      data-severity={errors > 0 ? 'error' : warnings > 0 ? 'warning' : undefined}
      icon={<TriangleAlert />}
      aria-label={`Problems, ${count}`}
      onClick={() => stage.open('problems')}
    >
      Problems {count > 0 && <span className="tabular">{count}</span>}
    </Button>
  );
}
