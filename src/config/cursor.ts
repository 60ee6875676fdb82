/**
 * A typed walk over a file that was held against the schema. A value in which the schema found a fault reads
 * as FAULTY: the rules that depend on it stay silent, all others still speak, so that one run tells everything.
 */
import { placeText, type RawFault, type Source } from './faults.js';
import { pathText } from './path.js';
import type { YamlNode } from './yaml-node.js';

export const FAULTY: unique symbol = Symbol('faulty');
/** A fault was reported already; nothing can be said about the value. */
export type Faulty = typeof FAULTY;
export type Checked<T> = T | Faulty;

/** A value of the file, its place and its path. */
export interface Cursor<T> {
  readonly source: Source;
  readonly node: YamlNode;
  /** Offset of the key (or list item) that holds the value. */
  readonly keyStart: number;
  readonly path: string;
  readonly value: T;
}

/** The text of a file's secret or authority, or why there is none. */
export type FileText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problem: string };

/** What the pure parser asks the outside for. */
export interface ConfigDeps {
  /** The director's name where the configuration gives none. */
  readonly hostName: string;
  readonly env: (name: string) => string | undefined;
  readonly readFile: (path: string) => FileText;
  /** Whether a package that only some kinds of check need is installed. */
  readonly hasPackage: (name: string) => boolean;
  /** Why a program cannot be run: completes "PATH ..."; undefined: it can, as far as can be seen. */
  readonly programProblem: (path: string) => string | undefined;
}

/** What must not stand twice: by what tells it apart, with the place that had it first. */
export type Claims = Map<string, Cursor<unknown>>;

/** What every rule has at hand. */
export interface Context {
  readonly deps: ConfigDeps;
  readonly faults: RawFault[];
  /** The services as the kernel tells them apart. */
  readonly services: Claims;
}

/** Reports a fault at the value. */
export function report(context: Context, at: Cursor<unknown>, message: string): Faulty {
  context.faults.push({ source: at.source, offset: at.node.start, message: `${at.path}: ${message}` });
  return FAULTY;
}

/** Reports a fault at the key: where it is the key that should not be there. */
export function reportKey(context: Context, at: Cursor<unknown>, message: string): Faulty {
  context.faults.push({ source: at.source, offset: at.keyStart, message: `${at.path}: ${message}` });
  return FAULTY;
}

/** Reports a thing that stands here a second time. @param id tells the things of one kind apart. @returns whether it is new */
export function claim(
  context: Context,
  claims: Claims,
  at: Cursor<unknown>,
  kind: string,
  id: string,
): boolean {
  const first = claims.get(id);
  if (first === undefined) {
    claims.set(id, at);
    return true;
  }
  const place = placeText(at.source, first.source, first.node.start);
  report(context, at, `${kind} ${id} stands twice; the first is ${first.path} (${place})`);
  return false;
}

export function rootCursor<T>(source: Source, node: YamlNode): Cursor<T> {
  return { source, node, keyStart: node.start, path: '', value: node.value as T };
}

type Member<T, K extends keyof T> = Cursor<NonNullable<T[K]>>;

/** A member of a mapping; undefined where it is left out. */
export function member<T extends object, K extends keyof T & string>(
  of: Cursor<T>,
  key: K,
): Checked<Member<T, K>> | undefined {
  const field = of.node.fields?.get(key);
  if (field === undefined) return undefined;
  if (field.node.faulty) return FAULTY;
  const path = pathText(of.path, key);
  const { keyStart, node } = field;
  return { source: of.source, node, keyStart, path, value: node.value as NonNullable<T[K]> };
}

/** The value of a member, or what stands for it where it is left out. */
export function read<T extends object, K extends keyof T & string>(
  of: Cursor<T>,
  key: K,
  otherwise: NonNullable<T[K]>,
): Checked<NonNullable<T[K]>> {
  const found = member(of, key);
  if (found === undefined) return otherwise;
  return found === FAULTY ? FAULTY : found.value;
}

/** All members of a mapping whose keys are free; faulty ones are left out. */
export function entries<T>(
  of: Cursor<Readonly<Record<string, T>>>,
): readonly (readonly [string, Cursor<T>])[] {
  const found: [string, Cursor<T>][] = [];
  for (const key of of.node.fields?.keys() ?? []) {
    const cursor = member(of, key);
    if (cursor !== undefined && cursor !== FAULTY) found.push([key, cursor as Cursor<T>]);
  }
  return found;
}

/** All items of a list, FAULTY where the schema found a fault. */
export function items<T>(of: Cursor<readonly T[]>): readonly Checked<Cursor<T>>[] {
  return (of.node.items ?? []).map((node, index) => {
    if (node.faulty) return FAULTY;
    const path = pathText(of.path, index);
    return { source: of.source, node, keyStart: node.start, path, value: node.value as T };
  });
}
