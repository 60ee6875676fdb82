/** Asks DNS for the addresses of a name. c-ares, as Node has it, follows CNAMEs, asks again over TCP, and sees forgeries. */
import { Resolver as DnsResolver, type RecordWithTtl } from 'node:dns';
import { onLoopback, unusable } from '../config/endpoint.js';
import { errorText } from '../core/errors.js';
import { endpointText, type Ip, ipFamily, parseIp } from '../core/ip.js';
import type { Timers } from '../core/ports.js';
import { type Millis, millis, seconds } from '../core/units.js';
import type { Lookup, NameRule, NameTrouble, Question } from './model.js';

/** A lookup that can be given up; `done` is not called then. */
export interface RunningLookup {
  cancel(): void;
}

export type LookUp = (question: Question, rule: NameRule, done: (lookup: Lookup) => void) => RunningLookup;

/** c-ares doubles the time in the second try: both are three times the first. */
const TRIES = 2;
const TRY_SHARES = 3;
const TRY_LEAST = millis(50);

/** Of one answer. */
const RECORDS_MAX = 512;

const failure = (trouble: Exclude<NameTrouble, 'nobody-up'>, detail: string): Lookup => ({
  kind: 'failure',
  trouble,
  detail,
});

/** Codes of node:dns. Others are ours, or of the network in between. */
const TROUBLES: Readonly<Record<string, Exclude<NameTrouble, 'nobody-up'>>> = {
  ENOTFOUND: 'no-such-name',
  ENODATA: 'no-address',
  ESERVFAIL: 'server-failure',
  ENOTIMP: 'server-failure',
  EREFUSED: 'refused',
  EFORMERR: 'malformed',
  EBADRESP: 'malformed',
  ETIMEOUT: 'timeout',
};

function failureOf(thrown: NodeJS.ErrnoException): Lookup {
  return failure(TROUBLES[thrown.code ?? ''] ?? 'unreachable', thrown.code ?? errorText(thrown));
}

/** What keeps an address of an answer from being a server of whoever asked. */
function problemOf({ family, loopback }: Question, address: Ip | undefined): string | undefined {
  if (address === undefined) return 'no address';
  if (ipFamily(address) !== family) return 'of the other family';
  if (address.startsWith('::ffff:')) return 'an IPv4 address in the clothes of IPv6';
  if (onLoopback(address) && !loopback) return 'this machine itself';
  return unusable(address);
}

/** What the records of an answer come to: the addresses that servers may have, and the shortest TTL. */
export function lookupOf(question: Question, records: readonly RecordWithTtl[]): Lookup {
  const addresses = new Set<Ip>();
  const unfit: string[] = [];
  let ttl = Number.POSITIVE_INFINITY;
  for (const record of records.slice(0, RECORDS_MAX)) {
    const address = parseIp(record.address);
    const problem = problemOf(question, address);
    if (address === undefined || problem !== undefined) unfit.push(`${record.address} is ${problem}`);
    else addresses.add(address);
    // RFC 2181 8: a TTL with the topmost bit set is none.
    ttl = Math.min(ttl, record.ttl > 0 && record.ttl < 2 ** 31 ? record.ttl : 0);
  }
  if (addresses.size > 0) return { kind: 'answer', addresses: [...addresses], ttl: seconds(ttl) };
  return unfit.length > 0
    ? failure('unusable', unfit.slice(0, 3).join(', '))
    : failure('no-address', 'an answer without addresses');
}

/** Who is asked, as `setServers` takes it. /etc/resolv.conf is read anew for every lookup. */
function serversOf({ resolvers }: NameRule): readonly string[] {
  if (resolvers.length === 0) return new DnsResolver().getServers();
  return resolvers.map(({ address, port }) => endpointText(address, port));
}

/** After these the next resolver has nothing to add: the name itself is so. */
const FINAL: readonly NameTrouble[] = ['no-such-name', 'no-address', 'unusable'];

/**
 * One lookup: the resolvers one after the other, as c-ares in Node hands on the first failure that a resolver tells.
 * Each question goes out by a resolver of its own, so from another port.
 */
class Asking {
  readonly #question: Question;
  readonly #servers: readonly string[];
  readonly #share: Millis;
  readonly #end: (lookup: Lookup) => void;
  #current: DnsResolver | undefined;
  #isOver = false;

  constructor(question: Question, rule: NameRule, end: (lookup: Lookup) => void) {
    this.#question = question;
    this.#servers = serversOf(rule);
    this.#share = millis(rule.timeout / Math.max(1, this.#servers.length));
    this.#end = end;
  }

  /** Asks the resolver in this place, and those behind it. @throws where c-ares takes no resolver */
  ask(index: number): void {
    const server = this.#servers[index];
    if (server === undefined) {
      this.#end(failure('unreachable', 'there is no resolver'));
      return;
    }
    const timeout = Math.max(TRY_LEAST, Math.floor(this.#share / TRY_SHARES));
    const resolver = new DnsResolver({ timeout, tries: TRIES });
    resolver.setServers([server]);
    this.#current = resolver;
    const { host, family } = this.#question;
    const heard = (thrown: NodeJS.ErrnoException | null, records: readonly RecordWithTtl[]): void =>
      this.#heard(index, thrown === null ? lookupOf(this.#question, records) : failureOf(thrown));
    if (family === 'ipv4') resolver.resolve4(host, { ttl: true }, heard);
    else resolver.resolve6(host, { ttl: true }, heard);
  }

  stop(): void {
    this.#isOver = true;
    this.#current?.cancel();
  }

  #heard(index: number, lookup: Lookup): void {
    if (this.#isOver) return;
    const isFinal = lookup.kind === 'answer' || FINAL.includes(lookup.trouble);
    if (isFinal || index + 1 >= this.#servers.length) {
      this.#end(lookup);
      return;
    }
    try {
      this.ask(index + 1);
    } catch (thrown) {
      this.#end(failure('unreachable', errorText(thrown)));
    }
  }
}

/** Lookups with deadlines. What keeps us from asking is told as a failure, as all else. */
export function dnsLookUp(timers: Timers): LookUp {
  return (question, rule, done) => {
    let ended = false;
    let asking: Asking | undefined;
    const end = (lookup: Lookup | undefined): void => {
      if (ended) return;
      ended = true;
      deadline.cancel();
      asking?.stop();
      if (lookup !== undefined) done(lookup);
    };
    const deadline = timers.after(rule.timeout, () => end(failure('timeout', 'no answer in time')));
    try {
      asking = new Asking(question, rule, (lookup) => end(lookup));
      asking.ask(0);
    } catch (thrown) {
      // Whoever asks is never answered before it has what it may cancel.
      timers.after(millis(0), () => end(failure('unreachable', errorText(thrown))));
    }
    return { cancel: () => end(undefined) };
  };
}
