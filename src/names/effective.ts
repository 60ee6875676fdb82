/**
 * The effective configuration: names replaced by the servers that they stand for. It has the shape of any other one
 * and goes the way of a reload, which leaves alone what did not change. Pure.
 */
import type { Config, NamedServers, ServerConfig, ServiceConfig } from '../config/model.js';
import { type Ip, ipFamily } from '../core/ip.js';
import { destText, serviceText } from '../ipvs/keys.js';
import type { DestKey, ObservedTable, ServiceKey } from '../ipvs/model.js';
import type { MaintenanceWindow } from '../maintenance/model.js';
import type { Question, QuestionId, RememberedName } from './model.js';

/** The addresses of names; nothing is known of those that are not there. */
export type Addresses = Pick<ReadonlyMap<QuestionId, readonly Ip[]>, 'get'>;

export function questionId({ host, family, loopback }: Question): QuestionId {
  return `${family} ${host}${loopback ? ' on loopback' : ''}`;
}

/** All that a configuration asks of DNS, each question once. */
export function questionsOf({ services }: Pick<Config, 'services'>): ReadonlyMap<QuestionId, Question> {
  const questions = new Map<QuestionId, Question>();
  for (const { names } of services)
    for (const { question } of names ?? []) questions.set(questionId(question), question);
  return questions;
}

const portOf = (key: ServiceKey): number => (key.kind === 'fwmark' ? 0 : key.port);

/** Where a server stands in each entry of its service. */
function placesOf(
  { entries }: ServiceConfig,
  { dest, followsPort }: Pick<ServerConfig, 'dest' | 'followsPort'>,
) {
  const { address, port } = dest.key;
  if (!followsPort) return [destText({ address, port })];
  return [...new Set(entries.map(({ key }) => destText({ address, port: portOf(key) })))];
}

/** The servers of one service, by what they are made of: what stays is the same object again. */
interface Made {
  readonly from: readonly (readonly Ip[] | undefined)[];
  readonly service: ServiceConfig;
}

/** Makes effective configurations, and remembers what the last ones were made of. */
export class EffectiveConfigs {
  readonly #made = new WeakMap<ServiceConfig, Made>();
  readonly #servers = new WeakMap<NamedServers, ReadonlyMap<Ip, ServerConfig>>();

  /** The same services again, as objects, where neither they nor the addresses of their names changed. */
  of(config: Config, addresses: Addresses): Config {
    if (config.services.every(({ names }) => names === undefined)) return config;
    const services = config.services.map((service) => this.#service(service, addresses));
    return { ...config, services, maintenance: windowsOf(config, services) };
  }

  #service(service: ServiceConfig, addresses: Addresses): ServiceConfig {
    if (service.names === undefined) return service;
    const from = service.names.map(({ question }) => addresses.get(questionId(question)));
    const made = this.#made.get(service);
    if (made?.from.every((list, index) => sameList(list, from[index])) === true) return made.service;
    const expanded = this.#expand(service, service.names, from);
    this.#made.set(service, { from, service: expanded });
    return expanded;
  }

  #expand(service: ServiceConfig, names: readonly NamedServers[], from: Made['from']): ServiceConfig {
    const taken = new Set<string>();
    for (const server of [...service.servers, ...service.fallback.flat()])
      for (const place of placesOf(service, server)) taken.add(place);
    const servers = [...service.servers];
    let awaited = 0;
    for (const [index, name] of names.entries()) {
      const list = from[index] ?? [];
      if (list.length === 0) awaited += name.weight;
      // Who has the place already keeps it: two servers cannot be the same destination.
      for (const server of this.#serversOf(name, list, (one) => claimPlaces(taken, placesOf(service, one))))
        servers.push(server);
    }
    return { ...service, servers, ...(awaited === 0 ? {} : { awaited }) };
  }

  #serversOf(
    name: NamedServers,
    addresses: readonly Ip[],
    claim: (server: ServerConfig) => boolean,
  ): Iterable<ServerConfig> {
    const before = this.#servers.get(name);
    const servers = new Map<Ip, ServerConfig>();
    for (const address of addresses) {
      if (servers.size === name.most) break;
      const server = before?.get(address) ?? name.serverAt(address);
      if (claim(server)) servers.set(address, server);
    }
    this.#servers.set(name, servers);
    return servers.values();
  }
}

/** @returns false where one of them is taken; none is taken then */
function claimPlaces(taken: Set<string>, places: readonly string[]): boolean {
  if (places.some((place) => taken.has(place))) return false;
  for (const place of places) taken.add(place);
  return true;
}

function sameList(a: readonly Ip[] | undefined, b: readonly Ip[] | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((address, index) => address === b[index]);
}

/** Windows that name a name cover all servers that it stands for. */
function windowsOf(
  { maintenance, services: before }: Config,
  services: readonly ServiceConfig[],
): readonly MaintenanceWindow[] {
  if (maintenance.length === 0) return maintenance;
  const stands = new Map<string, readonly string[]>();
  for (const [index, { name: service, names = [] }] of before.entries()) {
    const servers = services[index]?.servers ?? [];
    for (const { name } of names) {
      const its = servers.filter((server) => server.name.startsWith(`${name}@`));
      stands.set(
        `${service}/${name}`,
        its.map((server) => `${service}/${server.name}`),
      );
    }
  }
  return maintenance.map((window) => {
    if (!window.servers.some((id) => stands.has(id))) return window;
    return { ...window, servers: window.servers.flatMap((id) => stands.get(id) ?? [id]) };
  });
}

/**
 * What the table holds of names of which nothing is known: servers in their services that nobody else accounts for.
 * So a start without an answer, and without a memory of one, keeps who serves.
 * @param config effective, with what is known
 */
export function addressesInTable(
  config: Config,
  table: ObservedTable,
  known: Addresses,
): ReadonlyMap<QuestionId, readonly Ip[]> {
  const found = new Map<QuestionId, Set<Ip>>();
  for (const service of config.services) {
    if (service.awaited === undefined) continue;
    const [{ key }] = service.entries;
    const dests = table.get(serviceText(key))?.dests ?? new Map<string, never>();
    const unknown =
      service.names?.filter(({ question }) => known.get(questionId(question)) === undefined) ?? [];
    const own = [...service.servers, ...service.fallback.flat()];
    const taken = new Set(own.flatMap((server) => placesOf(service, server)));
    for (const { key: at } of dests.values()) {
      const name = taken.has(destText(at)) ? undefined : unknown.find((one) => couldBe(service, one, at));
      if (name === undefined) continue;
      const id = questionId(name.question);
      found.set(id, (found.get(id) ?? new Set()).add(at.address));
    }
  }
  return new Map([...found].map(([id, addresses]) => [id, [...addresses]]));
}

/** What a start makes of a configuration: names as they were remembered, else as the table tells. */
export function configAtStart(
  config: Config,
  remembered: ReadonlyMap<QuestionId, RememberedName>,
  table: ObservedTable,
): Config {
  const made = new EffectiveConfigs();
  const known = new Map([...remembered].map(([id, { addresses }]) => [id, addresses]));
  const guessed = addressesInTable(made.of(config, known), table, known);
  return made.of(config, new Map([...known, ...guessed]));
}

/** Whether an entry of the table could be a server that a name stands for. */
function couldBe(service: ServiceConfig, { question, serverAt }: NamedServers, at: DestKey): boolean {
  if (question.family !== ipFamily(at.address)) return false;
  return placesOf(service, serverAt(at.address)).includes(destText(at));
}

/**
 * Whether addresses of a name may go: not where they may serve, and none of those that would be left is up. A name that
 * somebody made point elsewhere empties no service.
 * @param config effective
 * @param heldOf what a server is thought to be, by its id
 */
export function mayGo(
  { services }: Pick<Config, 'services'>,
  id: QuestionId,
  { gone, left }: { readonly gone: readonly Ip[]; readonly left: readonly Ip[] },
  heldOf: (server: string) => 'up' | 'down' | undefined,
): boolean {
  return services.every((service) => {
    const ids = new Set(service.servers.map(({ name }) => name));
    return (service.names ?? []).every(({ name, question }) => {
      if (questionId(question) !== id) return true;
      const held = (address: Ip) => heldOf(`${service.name}/${name}@${address}`);
      const serves = gone.some((address) => ids.has(`${name}@${address}`) && held(address) !== 'down');
      return !serves || left.some((address) => held(address) === 'up');
    });
  });
}
