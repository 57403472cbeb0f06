import { useCallback, useMemo, useState } from 'react';
import { requestAdd } from '../adding';
import type { Part } from '../commands/types';
import type { EditorSearch } from '../search';
import { useEditorStore } from '../store';
import type { Asked } from './Dialogs';

type Name = 'history' | 'problems' | 'find' | 'shortcuts' | 'commands';
type Names = Readonly<Record<Name, boolean>>;

const NONE: Names = { history: false, problems: false, find: false, shortcuts: false, commands: false };

/**
 * What of the page is open. `wanted`: was open at least once, so that what closes in its own time stays until it has closed.
 */
export function useOpened(panel: EditorSearch['panel']) {
  const store = useEditorStore();
  const [opened, setOpened] = useState<Names>({ ...NONE, history: panel === 'history', problems: panel === 'problems' });
  const [wanted, setWanted] = useState<Names>(NONE);
  const [asked, ask] = useState<Asked>(null);
  const open = useCallback(
    (part: Part) => {
      if (part === 'publish' || part === 'run') ask(part);
      else if (part === 'add') requestAdd(store);
      else {
        setWanted((old) => ({ ...old, [part]: true }));
        // Asked for again, a panel closes; the search only takes the caret.
        setOpened((old) => ({ ...old, [part]: part === 'find' || !old[part] }));
      }
    },
    [store],
  );
  const close = useMemo(() => {
    const closing = (name: Name) => () => setOpened((old) => ({ ...old, [name]: false }));
    return {
      history: closing('history'),
      find: closing('find'),
      shortcuts: closing('shortcuts'),
      commands: closing('commands'),
    };
  }, []);
  return { opened, wanted, asked, open, close, ask };
}
