import { createContext, use, useMemo, type ReactNode } from 'react';
import { setField, setHead } from '../../document/operations';
import { placeOf, useProblemsOf } from '../../problems';
import { useEditor, useEditorStore } from '../../store';
import type { Json, Problem } from '../../types';

/* What the fields of a form edit: one task, or the head of the document. */

/** Keys and numbers of items below the task, or in the head. */
export type Path = readonly (string | number)[];

export interface Target {
  /** Key of the task; null for the head. */
  readonly task: string | null;
  /** "train", "the pipeline": for the history. */
  readonly name: string;
  readonly readOnly: boolean;
  /** Undefined removes the key. Typing into one field is one entry of the history. */
  readonly set: (path: Path, value: Json | undefined) => void;
}

const TargetContext = createContext<Target | null>(null);

export function useTarget(): Target {
  const target = use(TargetContext);
  if (!target) throw new Error('A field is drawn inside of a form.');
  return target;
}

interface Props {
  task: string | null;
  /** Nothing can be changed here just now, whatever the person may do. */
  locked?: boolean;
  children: ReactNode;
}

export function FormTarget({ task, locked = false, children }: Props) {
  const store = useEditorStore();
  const readOnly = useEditor((state) => state.readOnly) || locked;
  const target = useMemo<Target>(() => {
    const name = task === null ? 'the pipeline' : task.slice(task.lastIndexOf('/') + 1);
    const set = (path: Path, value: Json | undefined) => {
      const place = path.join('.');
      const label = value === undefined ? `Clear ${place} of ${name}` : `Set ${place} of ${name}`;
      store
        .getState()
        .transact(label, (doc) => (task === null ? setHead(doc, path, value) : setField(doc, task, path, value)), {
          mark: `field:${task ?? ''}:${place}`,
        });
    };
    return { task, name, readOnly, set };
  }, [store, task, readOnly]);
  return <TargetContext value={target}>{children}</TargetContext>;
}

/** The problems at one place; with `below` also those of the values inside of it. */
export function useProblemsAt(path: Path, below = false): readonly Problem[] {
  const store = useEditorStore();
  const problems = useProblemsOf(useTarget().task);
  const place = path.join('.');
  return useMemo(() => {
    const { model } = store.getState().doc;
    return problems.filter((problem) => {
      const at = placeOf(problem, model).place;
      return at === place || (below && at.startsWith(`${place}.`));
    });
  }, [store, problems, place, below]);
}
