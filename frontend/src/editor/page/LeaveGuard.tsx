import { useBlocker } from '@tanstack/react-router';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { useSave, useSaver } from '../saving';

/** How long a person who leaves waits for the last save before they are asked. Milliseconds. */
const PATIENCE = 3000;

/** Leaving the page saves first; when that does not work, a person decides. */
export function LeaveGuard() {
  const saver = useSaver();
  const state = useSave((info) => info.state);
  const kept = useSave((info) => info.kept);
  const blocker = useBlocker({
    shouldBlockFn: async ({ current, next }) => {
      // Who is signed out must sign in; what is not saved lies in this browser and is offered afterwards.
      if (next.pathname === current.pathname || next.pathname === '/sign-in') return false;
      return saver.pending() && !(await savedSoon(saver.flush()));
    },
    enableBeforeUnload: () => saver.pending(),
    withResolver: true,
  });
  if (blocker.status !== 'blocked') return null;
  return (
    <Dialog
      open
      onClose={blocker.reset}
      title="Your last changes are not saved"
      footer={
        <>
          <Button look="danger" onClick={blocker.proceed}>
            Leave all the same
          </Button>
          <Button look="primary" onClick={blocker.reset}>
            Stay
          </Button>
        </>
      }
    >
      <p>
        {'why' in state ? state.why : 'The server has not answered yet.'}{' '}
        {kept
          ? 'This browser keeps a copy, and offers it when you open the editor here again.'
          : 'This browser has no room to keep a copy: who leaves loses them.'}
      </p>
    </Dialog>
  );
}

async function savedSoon(saving: Promise<void>): Promise<boolean> {
  const late = new Promise<false>((resolve) => setTimeout(() => resolve(false), PATIENCE));
  return Promise.race([saving.then(() => true).catch(() => false), late]);
}
