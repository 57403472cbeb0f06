import { Download } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { plural } from '../../ui/format';
import { placeWords } from '../merge/merge';
import { textOf, type Clash, type Side } from '../merge/values';
import { useSave, useSaver } from '../saving';
import { LineDiff } from '../versions/LineDiff';
import { Written } from '../versions/Written';
import css from './ConflictDialog.module.css';

/** Two people changed the same: asks for each place whose value stays. What is not chosen can be restored afterwards. */
export function ConflictDialog({ onClose }: { onClose: () => void }) {
  const saver = useSaver();
  const state = useSave((info) => info.state);
  const [sides, setSides] = useState<Readonly<Record<string, Side>>>({});
  if (state.is !== 'conflict') return null;
  const { clashes } = state.merged;
  const who = state.theirs.saved_by?.name ?? state.theirs.saved_by?.username ?? 'Somebody';
  const sideOf = ({ path }: Clash) => sides[path.join('\n')] ?? 'mine';
  const keep = () => {
    saver.resolve(sideOf);
    onClose();
  };
  return (
    <Dialog
      open
      wide
      onClose={onClose}
      onSubmit={keep}
      title={`${who} changed the same`}
      description={
        clashes[0]?.path.length === 0
          ? 'One of the two texts cannot be read, so they cannot be joined by task. Choose the text that stays.'
          : `Everything else is joined already. Choose what stays at ${plural(clashes.length, 'place')}; the other value can be restored.`
      }
      footer={
        <>
          <Button onClick={onClose}>Decide later</Button>
          <Button type="submit" look="primary">
            Keep these
          </Button>
        </>
      }
    >
      <ul className={css.list}>
        {clashes.map((clash) => (
          <ClashRow
            key={clash.path.join('.')}
            clash={clash}
            who={who}
            side={sideOf(clash)}
            onChange={(side) => setSides((old) => ({ ...old, [clash.path.join('\n')]: side }))}
          />
        ))}
      </ul>
    </Dialog>
  );
}

interface RowProps {
  clash: Clash;
  who: string;
  side: Side;
  onChange: (side: Side) => void;
}

function ClashRow({ clash, who, side, onChange }: RowProps) {
  const place = placeWords(clash.path);
  const whole = clash.path.length === 0;
  return (
    <li>
      <fieldset className={css.clash}>
        <legend className={css.place}>{place}</legend>
        {(['mine', 'theirs'] as const).map((each) => (
          <label key={each} className={css.choice} data-chosen={side === each || undefined}>
            <input type="radio" name={place} checked={side === each} onChange={() => onChange(each)} />
            <span className={css.whose}>{each === 'mine' ? 'Mine' : `${who}’s`}</span>
            {!whole && <Written value={clash[each]} />}
          </label>
        ))}
        {!whole && clash.base !== undefined && (
          <p className={css.before}>
            Before: <Written value={clash.base} />
          </p>
        )}
      </fieldset>
      {whole && <WholeTexts clash={clash} />}
    </li>
  );
}

function WholeTexts({ clash }: { clash: Clash }) {
  const mine = textOf(clash.mine);
  const theirs = textOf(clash.theirs);
  return (
    <>
      <p className={css.downloads}>
        <DownloadText name="mine.yaml" text={mine} /> <DownloadText name="theirs.yaml" text={theirs} />
      </p>
      <LineDiff label="From theirs to mine" old={theirs} now={mine} />
    </>
  );
}

function DownloadText({ name, text }: { name: string; text: string }) {
  const save = () => {
    const address = URL.createObjectURL(new Blob([text], { type: 'application/yaml' }));
    const link = Object.assign(document.createElement('a'), { href: address, download: name });
    link.click();
    URL.revokeObjectURL(address);
  };
  return (
    <Button small icon={<Download />} onClick={save}>
      {name}
    </Button>
  );
}
