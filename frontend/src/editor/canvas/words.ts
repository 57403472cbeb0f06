import { lookOf } from '../../ui/states';
import type { CardFacts } from './scene';

/** A card in words: name, kind, state, ports, problems. */
export function cardLabel({ name, kind, count, folded, inputs, outputs, more }: CardFacts, state: string | null, problems: number): string {
  return [
    name,
    kind,
    count === null ? '' : `${counted(count, 'task')} inside`,
    folded ? 'folded' : '',
    state === null ? '' : `last run ${lookOf(state).word.toLowerCase()}`,
    counted(inputs.length, 'input'),
    counted(outputs.length + more, 'output'),
    problems === 0 ? '' : counted(problems, 'problem'),
  ]
    .filter(Boolean)
    .join(', ');
}

export function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
