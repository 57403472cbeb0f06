import type { GraphEdge, GraphTask, Json, JsonMap, Parameters, PipelineGraph } from '../api/types';

/*
 * The words of the editor. One pipeline document, immutable: its text is the truth and is edited where it changes and
 * nowhere else; positions lie beside it. Canvas, form, outline and YAML show the same document.
 */

/** In pixels, relative to the corner of the scope that holds the task. */
export interface Spot {
  x: number;
  y: number;
}

export interface Note {
  x: number;
  y: number;
  width: number;
  height: number;
  text: string;
}

/** What is stored beside the text. Keys are those of tasks; a task without a spot is laid out. */
export interface Layout {
  readonly tasks: Readonly<Record<string, Spot>>;
  readonly notes: Readonly<Record<string, Note>>;
}

/** One task as written. `raw` holds its keys without the inner `tasks`. */
export interface TaskModel {
  /** Path of names: `train-all/fit`. */
  readonly key: string;
  readonly name: string;
  readonly parent: string | null;
  /** The place in the document: `tasks.train-all.tasks.fit`. */
  readonly path: string;
  readonly kind: string;
  readonly title: string;
  /** Holds tasks of its own. */
  readonly scope: boolean;
  readonly raw: JsonMap;
  /** Line of its name, from 1. */
  readonly line: number;
  /** Last line of what it holds. */
  readonly lastLine: number;
}

export type Rule = 'success' | 'failure' | 'always';

/**
 * data: a value of `with` or `over` that is one reference, or holds some · condition: named in `when` · order: in `needs`.
 * Several may join the same two tasks.
 */
export type LinkSort = 'data' | 'condition' | 'order';

/** Between two tasks of the same scope. */
export interface LinkModel {
  readonly id: string;
  readonly sort: LinkSort;
  readonly from: string;
  readonly to: string;
  /** The output that is read; null for an order link. */
  readonly output: string | null;
  /** The name in the target's `with` (or `over`) that it feeds; null for condition and order links. */
  readonly input: string | null;
  readonly rule: Rule;
  /** Where it is written, below the target task: `with.table`, `when`, `needs.0`. */
  readonly place: string;
}

/** What a text says. */
export interface Model {
  readonly name: string;
  readonly title: string;
  readonly parameters: Parameters;
  /** Name of the code location, null without one. */
  readonly location: string | null;
  /** The whole document as plain values, without `tasks`. */
  readonly head: JsonMap;
  /** In the order of the text, a scope before what is inside it. */
  readonly tasks: ReadonlyMap<string, TaskModel>;
  readonly links: readonly LinkModel[];
}

/** A problem as the API gives it; `line` and `column` from 1, 0 where there is no text. */
export interface Problem {
  readonly severity: string;
  readonly code: string;
  /** The place in the document: `tasks.train.with.x`. */
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** What came of reading a text: `model` null when it cannot be drawn, with the problems that say why. */
export interface Reading {
  readonly model: Model | null;
  readonly problems: readonly Problem[];
}

/** The document as it stands. `model` is of the text, or of the last text that could be read. */
export interface Doc {
  readonly text: string;
  readonly layout: Layout;
  readonly model: Model;
  /** Why the text cannot be read; empty when `model` is of this text. */
  readonly broken: readonly Problem[];
}

/** What an operation wants changed. What is left out stays. */
export interface Edit {
  readonly text?: string;
  readonly layout?: Layout;
  /** Keys to select afterwards. */
  readonly select?: readonly string[];
}

/** An operation that cannot be done. The message is for the person: what, and how to go on. */
export class Refused extends Error {}

// --- ports and kinds --------------------------------------------------------------------------------------

export interface Port {
  readonly name: string;
  /** One of pipelines/ports.py. */
  readonly type: string;
  readonly required: boolean;
  readonly default?: Json;
  /** Further types that an input takes beside its own. */
  readonly accepts?: readonly string[];
  /** The only values that an input takes; any when absent. */
  readonly choices?: readonly Json[];
}

/** `openInputs`: takes further inputs. `openOutputs`: what it gives is not known, so any name will do. */
export interface Ports {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly openInputs: boolean;
  readonly openOutputs: boolean;
}

export interface KindInfo {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly category: string;
  /** Carried out by this installation; what is not can be drawn and not published. */
  readonly available: boolean;
  /** Has queue, timeout, retries, resources. */
  readonly worked: boolean;
  readonly scope: boolean;
  readonly takesSecrets: boolean;
  /** Ports that do not depend on what is written. */
  readonly ports: Ports;
  /** JSON Schema of the kind's own keys, by key. */
  readonly keys: Readonly<Record<string, JsonMap>>;
  readonly required: readonly string[];
  /** The entry of a new task of this kind. */
  readonly starter: JsonMap;
}

/** What a function takes and gives, read from its text. */
export interface Signature {
  readonly name: string;
  /** The first line of its docstring. */
  readonly doc: string;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Takes any further input. */
  readonly open: boolean;
  /** Why it cannot be used; empty when it can. */
  readonly problem: string;
}

/** A python block of a code location. `id` is `module:function`. */
export interface Block extends Signature {
  readonly id: string;
  /** Name of the code location. */
  readonly location: string;
}

/** What a document of this team may name. */
export interface Catalogue {
  readonly kinds: ReadonlyMap<string, KindInfo>;
  /** JSON Schema of the keys that every task has. */
  readonly common: Readonly<Record<string, JsonMap>>;
  /** And of those that a worker carries out. */
  readonly work: Readonly<Record<string, JsonMap>>;
  /** Of the document's code location, by id; of every one of the team while the document names none. */
  readonly blocks: ReadonlyMap<string, Block>;
  readonly locations: readonly string[];
  readonly queues: readonly string[];
  readonly secrets: readonly string[];
  readonly endpoints: readonly string[];
  readonly members: readonly string[];
}

/** The server's judgement of one text. */
export interface Judged {
  readonly text: string;
  readonly problems: readonly Problem[];
  readonly graph: PipelineGraph | null;
  /** Of the code written into the document, by key of its task. */
  readonly signatures: Readonly<Record<string, Signature>>;
  /** What the text says; null when it could not be read. */
  readonly model: Model | null;
}

export type { GraphEdge, GraphTask, Json, JsonMap, Parameters, PipelineGraph };
