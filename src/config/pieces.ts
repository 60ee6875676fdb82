/**
 * Parses a configuration piece by piece: what a service was read through is garbage before the next one is read,
 * and a service whose text is known is not read at all. Only for configurations without a fault: where anything
 * is wrong, or unusual, the caller reads whole files instead, which tells every fault at its place.
 */

import type { Steps } from '../core/steps.js';
import { serviceText } from '../ipvs/keys.js';
import { type ConfigCache, createConfigCache, type ReadService } from './cache.js';
import type { Defaults } from './check.js';
import {
  type Checked,
  type ConfigDeps,
  type Context,
  type Cursor,
  entries,
  FAULTY,
  member,
  rootCursor,
} from './cursor.js';
import type { Source } from './faults.js';
import type { Config, ServiceConfig } from './model.js';
import type { RawConfig, RawService } from './schema.js';
import { SERVICES_MAX } from './schema-facts.js';
import { completeService } from './service.js';
import { addSizes, NO_SIZES, type Sizes, tooMany } from './sizes.js';
import { type Split, splitServices } from './split.js';
import { validate } from './validate.js';
import { complete, defaultLayers, type Root, requireServices } from './whole.js';
import { readYaml, VALUES_MAX } from './yaml.js';

/** A file that was cut, its rest already read. */
interface File {
  readonly split: Split;
  readonly source: Source;
  readonly root: Root;
}

/** A piece by itself; undefined where a fault is in it, or an anchor that could reach into other pieces. */
function readPiece(source: Source): Root | undefined {
  const { root, faults, anchored } = readYaml(source);
  if (root === undefined || faults.length > 0 || anchored) return undefined;
  return validate(source, root).length > 0 ? undefined : rootCursor<RawConfig>(source, root);
}

/** Services somewhere other than in a comment. */
const HAS_SERVICES = /^[^#\n]*services/m;

/** A file whose services cannot be cut apart is none for us; one without services is only a rest. */
function splitFile({ text }: Source): Split | undefined {
  const split = splitServices(text);
  if (split !== undefined) return split.services.length <= SERVICES_MAX ? split : undefined;
  return HAS_SERVICES.test(text) ? undefined : { rest: text, services: [] };
}

function openFile(source: Source): File | undefined {
  const split = source.problem === undefined ? splitFile(source) : undefined;
  const root = split && readPiece({ file: source.file, text: split.rest });
  if (root === undefined || split === undefined) return undefined;
  // Services in another style may hide behind escapes in the key.
  return (root.node.fields?.get('services')?.node.size ?? 1) > 1 ? undefined : { split, source, root };
}

/** What the services are read with, and what was kept of them so far. */
interface Reading extends Sizes {
  readonly context: Context;
  readonly defaults: Checked<Defaults>;
  readonly defaultsText: string;
  readonly keeps: boolean;
  /** Tells, and forgets, whether a secret or a file was asked for. */
  readonly asked: () => boolean;
  readonly before: ReadonlyMap<string, ReadService>;
  readonly after: Map<string, ReadService>;
  readonly services: ServiceConfig[];
  readonly names: Set<string>;
  readonly ids: Set<string>;
  /** Values of the file that is read. */
  size: number;
}

/** What makes the text of services a file of its own. */
const HEAD = 'services:\n';

/** The services of a piece, one for each text: their keys alone stand at the indentation of the cuts. */
function servicesOf(root: Root, texts: readonly string[]) {
  const services = root.node.fields?.size === 1 ? member(root, 'services') : undefined;
  const found = services === undefined || services === FAULTY ? [] : entries(services);
  return found.length === texts.length ? found : undefined;
}

/** Completes one service. Its claims are its own: those of all services would hold on to all that was read. */
function readService(reading: Reading, name: string, at: Cursor<RawService>): ReadService | undefined {
  const { deps, faults } = reading.context;
  const config = completeService({ deps, faults, services: new Map() }, name, at, reading.defaults);
  if (config === FAULTY || faults.length > 0) return undefined;
  return { config, size: at.node.size };
}

/** Takes a service into this configuration; false where it breaks a rule over all services. */
function keep(reading: Reading, { config, size }: ReadService): boolean {
  reading.services.push(config);
  reading.names.add(config.name);
  for (const { key } of config.entries) reading.ids.add(serviceText(key));
  addSizes(reading, config);
  reading.size += size;
  if (reading.names.size < reading.services.length || reading.ids.size < reading.entries) return false;
  return tooMany(reading) === undefined && reading.size <= VALUES_MAX;
}

/** Services that are read together: what they are read through stays small, and reading starts less often. */
const BATCH = 32;

/** Reads services that stand one after the other; false where whole files must be read. */
function readBatch(reading: Reading, { source }: File, texts: readonly string[]): boolean {
  const root = readPiece({ file: source.file, text: HEAD + texts.join('') });
  const found = root && servicesOf(root, texts);
  for (const [index, [name, at]] of found?.entries() ?? []) {
    const service = readService(reading, name, at);
    if (service === undefined || !keep(reading, service)) return false;
    if (!reading.asked() && reading.keeps) reading.after.set(texts[index] ?? '', service);
  }
  return found !== undefined;
}

/** The texts from `start` on that are not known, at most a batch. */
function unknownFrom(reading: Reading, texts: readonly string[], start: number): readonly string[] {
  let end = start;
  while (end < texts.length && end - start < BATCH && !reading.before.has(texts[end] ?? '')) end += 1;
  return texts.slice(start, end);
}

/** Known services that are taken over in one step. */
const STEP = 256;

function* readServices(reading: Reading, file: File): Steps<boolean> {
  const texts = file.split.services;
  reading.size = file.root.node.size;
  for (let at = 0; at < texts.length; ) {
    const text = texts[at] ?? '';
    const known = reading.before.get(text);
    if (known !== undefined) {
      if (!keep(reading, known)) return false;
      reading.after.set(text, known);
      at += 1;
      if (at % STEP === 0) yield;
    } else {
      const batch = unknownFrom(reading, texts, at);
      if (!readBatch(reading, file, batch)) return false;
      at += batch.length;
      yield;
    }
  }
  return true;
}

interface WatchedDeps {
  readonly deps: ConfigDeps;
  readonly asked: () => boolean;
}

function watch({ hostName, env, readFile, hasPackage, programProblem }: ConfigDeps): WatchedDeps {
  let seen = false;
  const saw =
    <Result>(ask: (what: string) => Result) =>
    (what: string): Result => {
      seen = true;
      return ask(what);
    };
  const asked = (): boolean => {
    const was = seen;
    seen = false;
    return was;
  };
  const asks = {
    env: saw(env),
    readFile: saw(readFile),
    hasPackage: saw(hasPackage),
    programProblem: saw(programProblem),
  };
  return { deps: { hostName, ...asks }, asked };
}

function startReading(
  context: Context,
  defaults: Checked<Defaults>,
  asked: () => boolean,
  cache: ConfigCache,
): Reading {
  const defaultsText = defaults === FAULTY ? '' : JSON.stringify(defaults.at?.value ?? {});
  return {
    context,
    defaults,
    defaultsText,
    // What the defaults asked for is in every service: then none is kept.
    keeps: !asked(),
    asked,
    before: cache.defaults === defaultsText ? cache.services : new Map<string, ReadService>(),
    after: new Map(),
    services: [],
    names: new Set(),
    ids: new Set(),
    ...NO_SIZES,
    size: 0,
  };
}

/** All services of all files; undefined where whole files must be read. */
function* readAll(
  context: Context,
  files: readonly File[],
  asked: () => boolean,
  cache: ConfigCache,
): Steps<Reading | undefined> {
  const defaults = defaultLayers(
    context,
    files.map(({ root }) => root),
  );
  const reading = startReading(context, defaults, asked, cache);
  if (context.faults.length > 0) return undefined;
  for (const file of files) if (!(yield* readServices(reading, file))) return undefined;
  return reading;
}

/**
 * Parses a configuration whose files can be cut apart and are without a fault. It may be left alone between two
 * steps; each is short.
 * @param cache is brought up to date where the configuration is right, and left alone where it is not.
 * @returns undefined where the files must be read as wholes; nothing is said of them then.
 */
export function* parsePieces(
  sources: readonly Source[],
  deps: ConfigDeps,
  cache: ConfigCache = createConfigCache(),
): Steps<Config | undefined> {
  const files: File[] = [];
  for (const source of sources) {
    const file = openFile(source);
    if (file === undefined) return undefined;
    files.push(file);
    yield;
  }
  const roots = files.map(({ root }) => root);
  const watched = watch(deps);
  const context: Context = { deps: watched.deps, faults: [], services: new Map() };
  requireServices(context, roots);
  const reading = yield* readAll(context, files, watched.asked, cache);
  if (reading === undefined) return undefined;
  const config = yield* complete(context, roots, reading.services);
  if (context.faults.length > 0) return undefined;
  cache.defaults = reading.defaultsText;
  cache.services = reading.after;
  return config;
}
