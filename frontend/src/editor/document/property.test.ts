import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { docOf, EMPTY_LAYOUT, makeEditor } from '../store';
import { Refused, type Doc, type LinkModel, type Model } from '../types';
import { read } from './read';
import { chanceOf, gestureOf, type Gesture } from './testing/gestures';
import { samples } from './testing/samples';
import { hasServer, Server } from './testing/server';
import { isSame } from './values';
import { jsonOf } from './yaml/node';
import { parseYaml } from './yaml/parse';
import { treeOf } from './yaml/tree';

const SEQUENCES = process.env.FAST ? 60 : 300;
const STEPS = 12;

let server: Server | null = null;
beforeAll(() => {
  if (hasServer) server = new Server();
  else console.warn('There is no .venv: what the server reads is NOT compared with what the editor reads.');
});
afterAll(() => server?.close());

describe('random edits', () => {
  const styles = Object.entries(samples());
  test.each(styles)('of the document "%s" keep text, canvas, comments and server together', { timeout: 180_000 }, async (name, start) => {
    const share = Math.ceil(SEQUENCES / styles.length);
    for (let number = 0; number < share; number += 1) await sequence(`${name} ${number}`, start, number * 7919 + name.length);
  });
});

async function sequence(title: string, start: string, seed: number): Promise<void> {
  const chance = chanceOf(seed + Number(process.env.SEED ?? 0));
  const store = makeEditor('demo:x', start, EMPTY_LAYOUT);
  const done: string[] = [];
  for (let step = 0; step < STEPS; step += 1) {
    const before = store.getState().doc;
    const gesture = gestureOf(chance, before);
    done.push(gesture.name);
    const say = () => `${title}\n${done.join('\n')}\n--- before\n${before.text}\n--- after\n${store.getState().doc.text}`;
    try {
      store.getState().transact(gesture.name, gesture.perform);
    } catch (error) {
      throw new Error(`${say()}\n${String(error)}`, { cause: error });
    }
    check(before, store.getState().doc, gesture, say);
    if (step % 4 === 3 && server) await agrees(server, store.getState().doc, say);
  }
  while (store.getState().history.past.length > 0) store.getState().undo();
  expect(store.getState().doc.text, title).toBe(start);
  expect(store.getState().doc.layout, title).toBe(EMPTY_LAYOUT);
}

function check(before: Doc, after: Doc, gesture: Gesture, say: () => string): void {
  expect(after.broken, say()).toEqual([]);
  expect(isSame(wholeOf(after.text), piecesOf(after.text)), say()).toBe(true);
  expect(shapeOf(after.model), say()).toEqual(shapeOf(docOf(after.text, EMPTY_LAYOUT).model));
  if (gesture.renamed && after !== before) expect(linksOf(after.model), say()).toEqual(expect.arrayContaining(linksOf(before.model, ...gesture.renamed)));
  const kept = commentsIn(after.text);
  const allowed = mayGo(before, gesture);
  const lost = commentsIn(before.text).filter((comment) => !kept.includes(comment) && !allowed.has(comment));
  expect(lost, say()).toEqual([]);
  if (after.text.includes('\r\n')) expect(/[^\r]\n/.test(after.text), say()).toBe(false);
}

function wholeOf(text: string) {
  const { root } = parseYaml(text);
  return root ? jsonOf(root) : null;
}

function piecesOf(text: string) {
  const { root } = treeOf(text);
  return root ? jsonOf(root.node) : null;
}

const shapeOf = ({ tasks, links }: Model) => ({ tasks: [...tasks.values()], links });

/** What joins what; a task and what is inside it under another key. */
function linksOf({ links }: Model, old = '', key = ''): string[] {
  const keyOf = (each: string) => (each === old || each.startsWith(`${old}/`) ? key + each.slice(old.length) : each);
  return links.map(({ from, to, place, output, rule }) => [keyOf(from), keyOf(to), place, output, rule].join(' '));
}

/** The numbered comments of a text. */
function commentsIn(text: string): string[] {
  return [...text.matchAll(/# (?:c|typed )[0-9]+/g)].map(([comment]) => comment);
}

/** Comments on the lines of tasks that something is taken from, and those above tasks that go. */
function mayGo({ text, model }: Doc, { loses, gone }: Gesture): Set<string> {
  const lines = text.split('\n');
  const allowed = new Set<string>();
  const allow = (number: number) => commentsIn(lines[number] ?? '').forEach((comment) => allowed.add(comment));
  for (const key of [...loses, ...gone]) {
    const task = model.tasks.get(key);
    if (!task) continue;
    for (let number = task.line - 1; number < task.lastLine; number += 1) allow(number);
    for (let number = task.lastLine; /^\s+#/.test(lines[number] ?? ''); number += 1) allow(number);
    if (!gone.includes(key) && !gone.includes(`${key}/`)) continue;
    for (let number = task.line - 2; /^\s*#/.test(lines[number] ?? ''); number -= 1) allow(number);
  }
  return allowed;
}

async function agrees(reader: Server, { text, model }: Doc, say: () => string): Promise<void> {
  const seen = await reader.see(text);
  if (seen.tasks === null) {
    expect(model.tasks.size, say()).toBe(0);
    return;
  }
  const drawn = [...model.tasks.values()].map(({ key, kind, parent }) => [key, kind, parent]);
  expect(drawn.toSorted(), `${say()}\n${JSON.stringify(seen.problems)}`).toEqual(seen.tasks.toSorted());
  expect(edgesOf(model.links), `${say()}\n${JSON.stringify(seen.problems)}`).toEqual(seen.edges?.map((edge) => edge.join(' ')).toSorted());
}

/** One edge between two tasks: of data when there is any, else with the rule of its order link. */
function edgesOf(links: readonly LinkModel[]): string[] {
  const edges = new Map<string, string>();
  for (const { from, to, sort, rule } of links) {
    const id = `${from} ${to}`;
    if (sort !== 'order') edges.set(id, `${id} success true`);
    else if (!edges.has(id)) edges.set(id, `${id} ${rule} false`);
  }
  return [...edges.values()].toSorted();
}

test('mutated texts are answered', { timeout: 60_000 }, () => {
  const pieces = ['{', '}', '[', ']', ': ', '- ', '\t', '\n', '#', '|', '>', "'", '"', '%', '---\n', '&a ', '*a', '!!int ', '${{', '}}', '\0', '\ufeff', '\ud800', '? x\n: y\n', '  ', '<<: *a\n', 'tasks:\n', '[[['.repeat(50)];
  const chance = chanceOf(1);
  const texts = Object.values(samples());
  for (let number = 0; number < 800; number += 1) {
    let text = texts[Math.floor(chance() * texts.length)] ?? '';
    for (let times = 0; times < 1 + chance() * 4; times += 1) {
      const at = Math.floor(chance() * text.length);
      const piece = pieces[Math.floor(chance() * pieces.length)] ?? '';
      text = chance() < 0.6 ? text.slice(0, at) + piece + text.slice(at) : text.slice(0, at) + text.slice(at + Math.floor(chance() * 20));
    }
    const { model, problems } = read(text);
    if (model === null) expect(problems.length).toBeGreaterThan(0);
    for (const { line, column } of problems) expect(Math.min(line, column)).toBeGreaterThan(0);
    expect(isSame(wholeOf(text.replace(/^\ufeff/, '')), piecesOf(text)), text).toBe(true);
  }
});

test('a refused edit changes nothing', () => {
  const doc = docOf('tasks:\n  a: {kind: shell\n', EMPTY_LAYOUT);
  expect(() => gestureOf(chanceOf(1), doc).perform(doc)).toThrow(Refused);
});
