/** Gathers what the doctor's rules ask of this machine. Changes nothing. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { AddressClient } from '../addresses/client.js';
import type { ObjectSeen } from '../addresses/model.js';
import type { Config } from '../config/model.js';
import { errorText, LvsError } from '../core/errors.js';
import type { Sysctls } from '../core/ports.js';
import { serviceText } from '../ipvs/keys.js';
import type { IpvsTable, ObservedTable } from '../ipvs/model.js';
import type { Facts, LinkFact, ModuleState, TableFact } from './model.js';
import { modulesOf, wantedOf, wantedOfTable } from './wanted.js';

export interface FactSources {
  /** @throws IPVS_ABSENT, NATIVE, NETLINK, PERMISSION (rejects) */
  openTable(): Promise<IpvsTable>;
  readonly client: AddressClient;
  readonly sysctls: Sysctls;
  /** Under which `proc`, `sys` and `lib` stand. */
  readonly root?: string;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

async function dumpTable(
  openTable: FactSources['openTable'],
): Promise<{ readonly table: ObservedTable; readonly fact: TableFact }> {
  try {
    const client = await openTable();
    try {
      const { version, connectionTableSize } = await client.info();
      const table = await client.dump();
      const dests = [...table.values()].flatMap((each) => [...each.dests.values()]);
      const connections = dests.reduce((sum, { active, inactive }) => sum + active + inactive, 0);
      return { table, fact: { kind: 'read', version, connectionTableSize, connections, foreign: [] } };
    } finally {
      client.close();
    }
  } catch (thrown) {
    if (!(thrown instanceof LvsError) || thrown.code === 'INTERNAL') throw thrown;
    const isAbsent = thrown.code === 'IPVS_ABSENT';
    return { table: new Map(), fact: { kind: 'unreadable', isAbsent, problem: errorText(thrown) } };
  }
}

/** A module is there as a folder of sysfs once it is loaded, or built in with parameters. */
function moduleStates(root: string, release: string, names: readonly string[]): Map<string, ModuleState> {
  const folder = join(root, 'lib/modules', release);
  const [builtIn, onDisk] = ['modules.builtin', 'modules.dep'].map((file) => readText(join(folder, file)));
  const loaded = new Set(
    readText(join(root, 'proc/modules'))
      .split('\n')
      .map((line) => line.split(' ')[0] ?? ''),
  );
  const isIn = (text: string | undefined, name: string) =>
    new RegExp(`/${name.replaceAll('_', '[_-]')}\\.ko`).test(text ?? '');
  return new Map(
    names.map((name) => {
      if (loaded.has(name) || isIn(builtIn, name)) return [name, 'loaded'];
      return [name, isIn(onDisk, name) ? 'available' : 'absent'];
    }),
  );
}

/** The network namespace of a process; undefined where it is not for us to see. */
function networkOf(root: string, pid: string): string | undefined {
  try {
    return readlinkSync(join(root, 'proc', pid, 'ns/net'));
  } catch {
    return undefined;
  }
}

function runningPrograms(root: string): Set<string> {
  const own = networkOf(root, 'self');
  const pids = readdirSync(join(root, 'proc')).filter((name) => /^\d+$/.test(name));
  const here = pids.filter((pid) => {
    const network = networkOf(root, pid);
    return network === undefined || network === own;
  });
  return new Set(here.map((pid) => readText(join(root, 'proc', pid, 'comm')).trim()));
}

function isDeprecated({ object }: ObjectSeen): boolean {
  return object.kind === 'address' && object.deprecated;
}

async function readLinks(client: AddressClient): Promise<LinkFact[]> {
  const [links, addresses] = [await client.links(), await client.addresses()];
  return links.map(({ index, name, up }) => ({
    name,
    up,
    addresses: addresses
      .filter((each) => each.index === index)
      .map(({ address, prefix, seen }) => ({ address, prefix, deprecated: isDeprecated(seen(name)) })),
  }));
}

/** @throws NETLINK (rejects) */
export async function collectFacts(config: Config | undefined, sources: FactSources): Promise<Facts> {
  const { openTable, client, sysctls, root = '/' } = sources;
  const release = readText(join(root, 'proc/sys/kernel/osrelease')).trim();
  const inMemory = config?.table === 'memory';
  const { table, fact } = inMemory
    ? { table: new Map(), fact: { kind: 'memory' } as const }
    : await dumpTable(openTable);
  const wanted = config === undefined ? wantedOfTable(table) : wantedOf(config);
  const named = new Set(
    config?.services.flatMap(({ entries }) => entries.map(({ key }) => serviceText(key))),
  );
  const foreign = [...table.values()]
    .map(({ service }) => serviceText(service.key))
    .filter((text) => !named.has(text));
  const status = readText(join(root, 'proc/self/status'));
  const limits = readText(join(root, 'proc/self/limits'));
  const filesMax = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return {
    release,
    wanted,
    table: fact.kind === 'read' && config !== undefined ? { ...fact, foreign } : fact,
    modules: moduleStates(root, release, modulesOf(wanted)),
    setting: (path) => sysctls.read(path),
    links: await readLinks(client),
    programs: runningPrograms(root),
    capabilities: BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`),
    // Without a number there is no limit.
    filesMax: filesMax === undefined ? Number.MAX_SAFE_INTEGER : Number(filesMax),
  };
}
