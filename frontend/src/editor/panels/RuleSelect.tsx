import { Select } from '../../ui/Fields';
import { setRule } from '../document/operations';
import { useEditor, useEditorStore } from '../store';
import type { LinkModel, Rule } from '../types';
import { RULE_WORDS } from './words';

const RULES = Object.entries(RULE_WORDS) as [Rule, string][];

/** When a link lets go: chosen for an order link, "after success" for one that carries a value. */
export function RuleSelect({ link }: { link: LinkModel }) {
  const store = useEditorStore();
  const readOnly = useEditor((state) => state.readOnly);
  if (link.sort !== 'order') return RULE_WORDS.success;
  const choose = (rule: Rule) => store.getState().transact(`Follow ${link.from} ${RULE_WORDS[rule]}`, (doc) => setRule(doc, link.id, rule));
  return (
    <Select aria-label={`When it follows ${link.from}`} value={link.rule} disabled={readOnly} onChange={(event) => choose(event.target.value as Rule)}>
      {RULES.map(([rule, words]) => (
        <option key={rule} value={rule}>
          {words}
        </option>
      ))}
    </Select>
  );
}
