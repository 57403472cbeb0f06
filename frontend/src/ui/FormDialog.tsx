import type { ReactNode } from 'react';
import { Button } from './Button';
import { Dialog } from './Dialog';

interface Props {
  title: string;
  description?: ReactNode;
  /** The word on the button that does it. */
  act: string;
  look?: 'primary' | 'danger';
  busy: boolean;
  /** Whether it can be done with what the fields hold. */
  ready: boolean;
  onSubmit: () => void;
  onClose: () => void;
  children: ReactNode;
}

/** A dialog that is a form with one thing to do: by its button, or by Enter, once its fields are filled in. */
export function FormDialog({ title, description, act, look = 'primary', busy, ready, onSubmit, onClose, children }: Props) {
  return (
    <Dialog
      open
      onClose={onClose}
      onSubmit={() => {
        if (ready) onSubmit();
      }}
      title={title}
      description={description}
      footer={
        <>
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" look={look} busy={busy} disabled={!ready}>
            {act}
          </Button>
        </>
      }
    >
      {children}
    </Dialog>
  );
}
