import { Link } from '@tanstack/react-router';
import { ChevronLeft, Redo2, Undo2 } from 'lucide-react';
import { addressOf } from '../../api/pipelines';
import type { Pipeline } from '../../api/types';
import { Button, IconButton } from '../../ui/Button';
import { Segments } from '../../ui/Segments';
import { useEditor, useEditorStore, type View } from '../store';
import css from './TopBar.module.css';

const VIEWS: { value: View; label: string }[] = [
  { value: 'canvas', label: 'Canvas' },
  { value: 'split', label: 'Split' },
  { value: 'yaml', label: 'YAML' },
];

export function TopBar({ pipeline, onProblems }: { pipeline: Pipeline; onProblems: () => void }) {
  const store = useEditorStore();
  const view = useEditor((state) => state.view);
  return (
    <header className={css.bar}>
      <Link to="/pipelines/$name" params={{ name: addressOf(pipeline) }} className={css.back} title="Back to the pipeline">
        <ChevronLeft aria-hidden size={16} />
        <h1 className={css.name}>{pipeline.name}</h1>
      </Link>
      <IconButton label="Undo" onClick={() => store.getState().undo()}>
        <Undo2 />
      </IconButton>
      <IconButton label="Redo" onClick={() => store.getState().redo()}>
        <Redo2 />
      </IconButton>
      <Segments label="View" value={view} items={VIEWS} onChange={(next) => store.getState().setView(next)} />
      <Button small onClick={onProblems}>
        Problems
      </Button>
    </header>
  );
}
