import { useQueryClient } from '@tanstack/react-query';
import { X } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Button, IconButton } from '../../ui/Button';
import { Notice } from '../../ui/Feedback';
import { formatShortDateTime, plural } from '../../ui/format';
import { JoinedChanges } from '../dialogs/JoinedChanges';
import { dropCopy, shelfOf, type SafetyCopy } from '../safety';
import type { Joined, SaveState } from '../save';
import { useSave, useSaver } from '../saving';
import { useEditor, useEditorStore } from '../store';
import { Boundary } from './Boundary';
import { ConflictDialog } from './later';
import css from './Notices.module.css';

/** Milliseconds in which a sentence can be read twice. */
const READING = 8000;

/** What a person must know now, above the canvas: why something was refused, whose changes came in, what can be restored. */
export function Notices({ whyReadOnly, copies }: { whyReadOnly: string | null; copies: readonly SafetyCopy[] }) {
  return (
    <>
      <div className={css.notices}>
        {whyReadOnly !== null && <Notice look="approval">{whyReadOnly}</Notice>}
        {whyReadOnly === null && <Unsaved found={copies} />}
        <NotSaved />
        <Conflict />
        <LastJoined />
      </div>
      <Refusal />
    </>
  );
}

/** Over the canvas, not above it: what is drawn stays under the pointer. It leaves by itself. */
function Refusal() {
  const refusal = useEditor((state) => state.refusal);
  const store = useEditorStore();
  useEffect(() => {
    if (refusal === null) return;
    const timer = setTimeout(() => store.getState().dismiss(), READING);
    return () => clearTimeout(timer);
  }, [refusal, store]);
  if (refusal === null) return null;
  return (
    <div className={css.over}>
      <Notice look="retrying">
        <span className={css.line}>
          <span className={css.words}>{refusal}</span>
          <IconButton label="Dismiss" onClick={() => store.getState().dismiss()}>
            <X />
          </IconButton>
        </span>
      </Notice>
    </div>
  );
}

/** The browser's own storage is full, or switched off. */
const NOT_KEPT = 'This browser has no room to keep a copy: keep this page open, or copy the YAML to a safe place.';

function NotSaved() {
  const state = useSave((info) => info.state);
  const kept = useSave((info) => info.kept);
  if (state.is !== 'refused') return null;
  return (
    <Notice>
      Not saved: {state.why} {kept ? 'This browser keeps a copy of your changes.' : NOT_KEPT}
    </Notice>
  );
}

function Unsaved({ found }: { found: readonly SafetyCopy[] }) {
  const saver = useSaver();
  const shelf = shelfOf(useQueryClient(), useEditorStore().getState().address);
  const [copies, setCopies] = useState(found);
  const [newest, ...older] = copies;
  if (!newest) return null;
  const next = () => setCopies(older);
  const discard = () => {
    dropCopy(shelf, newest.id);
    next();
  };
  return (
    <Notice look="retrying">
      <span className={css.line}>
        <span className={css.words}>You have unsaved changes from {formatShortDateTime(new Date(newest.at).toISOString())}, kept by this browser.</span>
        <Button small onClick={() => void saver.restore(newest).then(next)}>
          Restore
        </Button>
        <Button small look="quiet" onClick={discard}>
          Discard
        </Button>
      </span>
    </Notice>
  );
}

/** Asks at once; who decides later is reminded, and goes on drawing meanwhile. */
function Conflict() {
  const state = useSave((info) => info.state);
  const [later, setLater] = useState<SaveState | null>(null);
  if (state.is !== 'conflict') return null;
  if (later !== state) {
    return (
      <Boundary what="The choice between two texts" quiet>
        <ConflictDialog onClose={() => setLater(state)} />
      </Boundary>
    );
  }
  return (
    <Notice look="retrying">
      <span className={css.line}>
        <span className={css.words}>Nothing is saved until you choose what stays where two people changed the same.</span>
        <Button small onClick={() => setLater(null)}>
          Choose
        </Button>
      </span>
    </Notice>
  );
}

/** The newest join with somebody else's changes, until it is read. */
function LastJoined() {
  const joined = useSave((info) => info.joined.at(-1));
  const [read, setRead] = useState<Joined | null>(null);
  if (!joined || joined === read) return null;
  const { theirs, clashes } = joined.merged;
  return (
    <Notice look="approval">
      <div className={css.line}>
        <span className={css.words}>
          {joined.who?.name ?? joined.who?.username ?? 'Somebody'} saved meanwhile: {plural(theirs.length, 'change')} came in
          {clashes.length > 0 && `, ${plural(clashes.length, 'place')} had to be decided`}.
        </span>
        <IconButton label="Dismiss" onClick={() => setRead(joined)}>
          <X />
        </IconButton>
      </div>
      <JoinedChanges joined={joined} />
    </Notice>
  );
}
