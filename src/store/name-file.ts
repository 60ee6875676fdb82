/** The last good answers of DNS in a file: a start without a resolver knows its servers, after a boot of the machine too. */
import { parseIp } from '../core/ip.js';
import type { Timers } from '../core/ports.js';
import { epochMillis } from '../core/units.js';
import { readOwnFile } from '../files/disk.js';
import type { QuestionId, RememberedName } from '../names/model.js';
import { documentParts, mappingOf, readDocument } from './document.js';
import type { StoreEvents } from './model.js';
import { SnapshotFile } from './snapshot.js';

const FILE_BYTES_MAX = 32 * 1024 * 1024;
const ADDRESSES_MAX = 4096;
const ID_LENGTH_MAX = 300;

export interface NameFileOptions {
  readonly path: string;
  readonly director: string;
  readonly timers: Timers;
  readonly events: Omit<StoreEvents, 'onEntries'>;
}

export type RememberedNames = ReadonlyMap<QuestionId, RememberedName>;

const NOTHING: RememberedNames = new Map();

function nameOf(line: string): readonly [QuestionId, RememberedName] | undefined {
  const { name, at, addresses } = mappingOf(line);
  if (typeof name !== 'string' || name === '' || name.length > ID_LENGTH_MAX) return undefined;
  if (!Number.isSafeInteger(at) || Number(at) < 0) return undefined;
  if (!Array.isArray(addresses) || addresses.length === 0 || addresses.length > ADDRESSES_MAX)
    return undefined;
  const read = addresses.map((text: unknown) => (typeof text === 'string' ? parseIp(text) : undefined));
  const sound = read.filter((address) => address !== undefined);
  if (sound.length < read.length) return undefined;
  return [name, { addresses: [...new Set(sound)], answeredAt: epochMillis(Number(at)) }];
}

export interface NamesFound {
  readonly names: RememberedNames;
  /** A clause about the file; undefined where all is well. */
  readonly problem: string | undefined;
}

/** What the run before left. It changes nothing, and never rejects. */
export async function readNames(path: string): Promise<NamesFound> {
  const file = await readOwnFile(path, FILE_BYTES_MAX);
  if (file.kind === 'absent') return { names: NOTHING, problem: undefined };
  const document = file.kind === 'text' ? readDocument('names', file.text) : { ok: false as const, ...file };
  if (!document.ok) return { names: NOTHING, problem: `${path} ${document.problem}` };
  return {
    names: new Map(document.lines.map(nameOf).filter((one) => one !== undefined)),
    problem: undefined,
  };
}

export class NameFile {
  readonly #file: SnapshotFile;
  #names: RememberedNames = NOTHING;
  /** There is something to keep: a file that was never needed is not made. */
  #used = false;

  constructor({ path, director, timers, events }: NameFileOptions) {
    this.#file = new SnapshotFile({
      path,
      parts: () => documentParts('names', { director }, this.#lines()),
      timers,
      onTrouble: (message) =>
        events.onTrouble(`${message}; a start without a resolver will not know the addresses of names`),
      onWell: (message) => events.onWell(message),
    });
  }

  /** Keeps these answers in place of those that there were. Returns at once. */
  keep(names: RememberedNames): void {
    this.#names = names;
    this.#used = true;
    this.#file.changed();
  }

  async close(): Promise<void> {
    if (this.#used) await this.#file.close();
  }

  *#lines(): Generator<string, void, undefined> {
    for (const [name, { addresses, answeredAt }] of this.#names)
      yield JSON.stringify({ name, at: answeredAt, addresses });
  }
}
