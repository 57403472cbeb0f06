import { Pencil, UserRoundX } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import type { Keeper, Pipeline } from '../api/types';
import { Button } from '../ui/Button';
import { Fact, Facts, PersonName } from '../ui/Facts';
import { Notice } from '../ui/Feedback';
import { Section } from '../ui/Page';
import { Prose } from '../ui/Prose';
import table from '../ui/Table.module.css';
import css from './Ownership.module.css';
import { OwnershipDialog } from './OwnershipDialog';

/** Who keeps a pipeline, what it is for and what to do when it fails; edited in place. */
export function Ownership({ pipeline }: { pipeline: Pipeline }) {
  const { owner, deputy, team, purpose, runbook } = pipeline;
  return (
    <Section
      title="Ownership"
      actions={
        <ChangeOwnership pipeline={pipeline} label="Edit">
          <Pencil aria-hidden />
        </ChangeOwnership>
      }
    >
      <Facts>
        <Fact name="Owner">
          <KeeperName keeper={owner} none="no owner" />
        </Fact>
        <Fact name="Deputy">
          <KeeperName keeper={deputy} none="no deputy" />
        </Fact>
        <Fact name="Team">{team}</Fact>
        <Fact name="Purpose">{purpose ? <Prose text={purpose} /> : <span className={table.muted}>not written yet</span>}</Fact>
        <Fact name="Runbook">{runbook ? <Prose text={runbook} /> : <span className={table.muted}>not written yet</span>}</Fact>
      </Facts>
    </Section>
  );
}

/** Says that nobody is there to be told, and lets those who may name somebody. Nothing while there is an owner. */
export function NoOwnerNotice({ pipeline }: { pipeline: Pipeline }) {
  if (pipeline.owner?.active) return null;
  return (
    <Notice look="retrying">
      <div className={css.notice}>
        <p>
          <strong>No active owner.</strong> {whyNobody(pipeline.owner)} Its runs go on; {whoIsTold(pipeline.deputy)} when one fails.
        </p>
        <ChangeOwnership pipeline={pipeline} label="Assign an owner" />
      </div>
    </Notice>
  );
}

function whyNobody(owner: Keeper | null): string {
  return owner ? `${owner.name || owner.username} has left the team or may not sign in any more.` : 'Nobody is named.';
}

/** As the alert of a failed run chooses whom to write to. */
function whoIsTold(deputy: Keeper | null): string {
  return deputy?.active ? `its deputy, ${deputy.name || deputy.username}, is told` : 'the admins of the team are told';
}

interface ChangeProps {
  pipeline: Pipeline;
  label: string;
  /** The icon of the button. */
  children?: ReactNode;
}

/** The button and its dialog; left out where the person may not edit the pipeline. */
export function ChangeOwnership({ pipeline, label, children }: ChangeProps) {
  const [open, setOpen] = useState(false);
  if (!pipeline.can.edit) return null;
  return (
    <>
      <Button small icon={children} aria-label={`${label}: ownership of ${pipeline.name}`} onClick={() => setOpen(true)}>
        {label}
      </Button>
      {open && <OwnershipDialog pipeline={pipeline} onClose={() => setOpen(false)} />}
    </>
  );
}

/** A person, or that there is none; one who has left stays named. */
export function KeeperName({ keeper, none }: { keeper: Keeper | null; none: string }) {
  if (keeper === null || keeper.active) return <PersonName person={keeper} none={none} />;
  return (
    <span className={css.gone}>
      <span className={css.keeper}>
        <UserRoundX aria-hidden />
        <PersonName person={keeper} />
      </span>{' '}
      <span className={css.word}>not active</span>
    </span>
  );
}
