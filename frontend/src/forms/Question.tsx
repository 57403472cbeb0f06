import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { sentenceOf } from '../api/problem';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import css from '../ui/Dialog.module.css';
import { Notice } from '../ui/Feedback';

interface Props {
  title: string;
  /** The word on the button that does it. */
  act: string;
  keep: string;
  run: () => Promise<unknown>;
  /** The lists that are different afterwards. */
  stale: string[];
  /** Nothing is taken away. */
  onClose: () => void;
  /** It has been taken away: where to go from here; closing, if nothing is said. */
  onDone?: () => unknown;
  children: ReactNode;
}

/** Asks before something is taken away; the text says what follows. */
export function Question({ title, act, keep, run, stale, onClose, onDone = onClose, children }: Props) {
  const queryClient = useQueryClient();
  const done = useMutation({
    mutationFn: run,
    onSuccess: async () => {
      await onDone();
      await Promise.all(stale.map((key) => queryClient.invalidateQueries({ queryKey: [key] })));
    },
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title={title}
      footer={
        <>
          <Button onClick={onClose}>{keep}</Button>
          <Button look="danger" busy={done.isPending} onClick={() => done.mutate()}>
            {act}
          </Button>
        </>
      }
    >
      <div className={css.stack}>
        {done.isError && <Notice>{sentenceOf(done.error)}</Notice>}
        {children}
      </div>
    </Dialog>
  );
}
