import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { sentenceOf } from '../../api/problem';
import type { PublishedVersion } from '../../api/types';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Notice } from '../../ui/Feedback';

interface Props {
  /** `team:name`. */
  address: string;
  number: number;
  /** Publishes a version equal to this one. */
  restore: () => Promise<PublishedVersion>;
  /** Only puts it into the draft; absent where there is no draft at hand. */
  takeIntoDraft?: () => Promise<void>;
  onClose: () => void;
}

/** Goes back to an older version by publishing it again: what was in between stays. */
export function RestoreDialog({ address, number, restore, takeIntoDraft, onClose }: Props) {
  const queryClient = useQueryClient();
  const publish = useMutation({
    mutationFn: restore,
    onSuccess: () => void queryClient.invalidateQueries({ queryKey: ['pipelines'] }),
  });
  const take = useMutation({ mutationFn: () => takeIntoDraft?.() ?? Promise.resolve(), onSuccess: onClose });
  const problem = publish.error ?? take.error;
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Restore version ${number}`}
      description={`Makes a new, active version that is equal to version ${number}. The versions in between stay.`}
      footer={
        publish.data ? (
          <Button look="primary" onClick={onClose}>
            Done
          </Button>
        ) : (
          <>
            <Button onClick={onClose}>Cancel</Button>
            {takeIntoDraft && (
              <Button busy={take.isPending} onClick={() => take.mutate()}>
                Only into the draft
              </Button>
            )}
            <Button look="primary" busy={publish.isPending} onClick={() => publish.mutate()}>
              Restore as a new version
            </Button>
          </>
        )
      }
    >
      {problem && <Notice>{sentenceOf(problem)}</Notice>}
      {publish.data ? (
        <Restored address={address} version={publish.data} from={number} />
      ) : (
        <p>
          {takeIntoDraft
            ? 'What the draft says now is replaced; Undo brings it back.'
            : 'What the draft says now is replaced. If no version has it, this browser keeps it, and the editor offers it again.'}
        </p>
      )}
    </Dialog>
  );
}

function Restored({ address, version, from }: { address: string; version: PublishedVersion; from: number }) {
  return (
    <p role="status">
      {version.created ? (
        <>
          <Link to="/pipelines/$name" params={{ name: address }} search={{ version: version.number }}>
            Version {version.number}
          </Link>{' '}
          published, equal to version {from}.
        </>
      ) : (
        <>Version {version.number}, the newest, says the same already: no new version was made.</>
      )}
    </p>
  );
}
