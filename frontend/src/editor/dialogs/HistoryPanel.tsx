import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { X } from 'lucide-react';
import { useState } from 'react';
import { versionQuery } from '../../api/pipelines';
import type { Pipeline, PublishedVersion } from '../../api/types';
import { IconButton } from '../../ui/Button';
import { useSave, useSaver } from '../saving';
import { useEditor, useEditorStore } from '../store';
import { readLayout } from '../storedLayout';
import { messageOf } from '../versions/restoring';
import { RestoreDialog } from '../versions/RestoreDialog';
import { VersionList } from '../versions/VersionList';
import { JoinedChanges } from './JoinedChanges';
import css from './HistoryPanel.module.css';

/** The versions beside the canvas; restoring one is an entry of the history, so Undo brings the draft back. */
export function HistoryPanel({ pipeline, onClose }: { pipeline: Pipeline; onClose: () => void }) {
  const store = useEditorStore();
  const { address } = store.getState();
  const readOnly = useEditor((state) => state.readOnly);
  const joined = useSave((info) => info.joined);
  const [restoring, setRestoring] = useState<number | null>(null);
  const { takeIntoDraft, restore } = useRestore();
  return (
    <section className={css.panel} aria-label="History">
      <div className={css.head}>
        <h2>History</h2>
        <Link to="/pipelines/$name/versions" params={{ name: address }}>
          All versions
        </Link>
        <IconButton label="Close the history" onClick={onClose}>
          <X />
        </IconButton>
      </div>
      <div className={css.body}>
        {joined.map((each) => (
          <div key={each.id} className={css.joined}>
            <h3>Joined with changes of {each.who?.name ?? each.who?.username ?? 'somebody else'}</h3>
            <JoinedChanges joined={each} />
          </div>
        ))}
        <VersionList address={address} onRestore={readOnly || !pipeline.can.edit ? undefined : ({ number }) => setRestoring(number)} />
      </div>
      {restoring !== null && (
        <RestoreDialog
          address={address}
          number={restoring}
          takeIntoDraft={() => takeIntoDraft(restoring)}
          restore={() => restore(restoring)}
          onClose={() => setRestoring(null)}
        />
      )}
    </section>
  );
}

/** Both ways back to a version: into the draft only, or as a new version. */
export function useRestore() {
  const store = useEditorStore();
  const saver = useSaver();
  const queryClient = useQueryClient();
  const { address } = store.getState();
  const takeIntoDraft = async (number: number): Promise<void> => {
    const { text, layout } = await queryClient.query(versionQuery(address, number));
    store.getState().transact(`Restore version ${number}`, () => ({ text, layout: readLayout(layout) }));
  };
  const restore = async (number: number): Promise<PublishedVersion> => {
    await takeIntoDraft(number);
    return saver.publish(messageOf(number), true);
  };
  return { takeIntoDraft, restore };
}
