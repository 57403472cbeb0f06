import { useEffect, useRef, useState } from 'react';
import { whenAskedAgain } from '../api/again';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { AgainForm } from './AgainForm';

/** Asks who is there when the server wants to know; the request that was refused waits for it. */
export function AgainDialog() {
  const [open, setOpen] = useState(false);
  const answer = useRef<(confirmed: boolean) => void>(() => undefined);
  useEffect(
    () =>
      whenAskedAgain(() => {
        setOpen(true);
        return new Promise((resolve) => {
          answer.current = resolve;
        });
      }),
    [],
  );
  const close = (confirmed: boolean) => {
    setOpen(false);
    answer.current(confirmed);
  };
  const [done] = useState(() => () => close(true));
  return (
    <Dialog
      open={open}
      onClose={() => close(false)}
      title="Is it you?"
      description="You signed in a while ago. Say who you are once more, and it is done."
      footer={<Button onClick={() => close(false)}>Cancel</Button>}
    >
      <AgainForm onDone={done} />
    </Dialog>
  );
}
