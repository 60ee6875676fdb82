/**
 * What an observer sees: the lines of tcpdump on every port of the stage's bridges, as values. Who sent a frame is known
 * by the port it came in on, not by what it says.
 */

/** One frame of interest. `at`: milliseconds since the epoch, by the kernel that received it. */
export type Seen = Frame &
  (Advert | { readonly kind: 'announcement' | 'question' | 'answer'; readonly address: string });

interface Frame {
  readonly at: number;
  /** The host behind the port. */
  readonly from: string;
  /** The host's interface, which is the name of the network too. */
  readonly link: string;
  readonly mac: string;
}

export interface Advert {
  readonly kind: 'advert';
  readonly source: string;
  readonly destination: string;
  readonly version: number;
  readonly vrid: number;
  readonly priority: number;
  /** TTL or hop limit. */
  readonly hops: number;
  /** As tcpdump tells it: 10cs, 1s. */
  readonly interval: string;
  /** Version 2: none, simple. */
  readonly auth: string | undefined;
  /** Whether tcpdump finds its checksum right. */
  readonly sound: boolean;
}

/** The port of a host on a bridge, by which lines are told apart. */
export function portOf(host: string, link: string): string {
  return `${host}-${link}`;
}

const LINE = /^(\d+)\.(\d{6}) (\w+)-(\w+) +\w+ +ifindex \d+ ([0-9a-f:]{17}) (.*)$/;
const ADVERT =
  /([0-9a-f.:]+) > ([0-9a-f.:]+): VRRPv(\d), Advertisement, (?:\(ttl \d+\), )?vrid (\d+), prio (\d+),(?: authtype (\w+),)? intvl (\w+)/;
const HOPS = /(?:ttl|hlim) (\d+)/;
const ARP_QUESTION = /Request who-has (\S+) .*tell ([0-9.]+)/;
const ARP_ANSWER = /Reply (\S+) is-at/;
const NDP_QUESTION = /neighbor solicitation, .*who has ([0-9a-f:]+)/;
const NDP_ADVERTISEMENT = /neighbor advertisement, .*tgt is ([0-9a-f:]+), Flags \[([^\]]*)\]/;

function neighbourSeen(
  text: string,
): { kind: 'announcement' | 'question' | 'answer'; address: string } | undefined {
  const asked = ARP_QUESTION.exec(text);
  if (asked?.[1] !== undefined)
    return { kind: asked[1] === asked[2] ? 'announcement' : 'question', address: asked[1] };
  const address = ARP_ANSWER.exec(text)?.[1] ?? NDP_QUESTION.exec(text)?.[1];
  if (address !== undefined) return { kind: text.includes('Reply') ? 'answer' : 'question', address };
  const told = NDP_ADVERTISEMENT.exec(text);
  if (told?.[1] === undefined) return undefined;
  return { kind: told[2]?.includes('solicited') ? 'answer' : 'announcement', address: told[1] };
}

function advertSeen(text: string): Advert | undefined {
  const match = ADVERT.exec(text);
  if (match === null) return undefined;
  const [, source = '', destination = '', version, vrid, priority, auth, interval = ''] = match;
  return {
    kind: 'advert',
    source,
    destination,
    version: Number(version),
    vrid: Number(vrid),
    priority: Number(priority),
    hops: Number(HOPS.exec(text)?.[1]),
    interval,
    auth,
    sound: !/bad/.test(text),
  };
}

/** A frame of tcpdump's text (`-e -tt -v`, on `any`), its lines joined by spaces; undefined where it is of no interest. */
export function readFrame(text: string): Seen | undefined {
  const match = LINE.exec(text);
  if (match === null) return undefined;
  const [, seconds, micros, from = '', link = '', mac = '', rest = ''] = match;
  const what = advertSeen(rest) ?? neighbourSeen(rest);
  return what === undefined
    ? undefined
    : { at: Number(seconds) * 1000 + Number(micros) / 1000, from, link, mac, ...what };
}

/** IPv4 packets are told in two lines, and only the second says what they carry. */
const GOES_ON = /proto VRRP \(112\), length \d+[^)]*\)$/;

/** All that was seen, in its order. */
export class Capture {
  readonly seen: Seen[] = [];
  #open: string | undefined;

  /** Takes the next line of tcpdump. */
  line(line: string): void {
    const text: string = this.#open !== undefined && /^\s/.test(line) ? `${this.#open} ${line.trim()}` : line;
    this.#open = this.#open === undefined && GOES_ON.test(line) ? line : undefined;
    if (this.#open !== undefined) return;
    const seen = readFrame(text);
    if (seen !== undefined) this.seen.push(seen);
  }

  /** A place in time: what is seen from now on has this index or a higher one. */
  mark(): number {
    return this.seen.length;
  }

  /** The adverts since a mark, resignations too. */
  adverts(since: number): readonly (Frame & Advert)[] {
    return this.seen.slice(since).filter((seen) => seen.kind === 'advert');
  }

  /** The adverts of one host since a mark that say it is master. */
  claims(since: number, host: string): readonly (Frame & Advert)[] {
    return this.adverts(since).filter(({ from, priority }) => from === host && priority > 0);
  }

  /** The adverts of one host since a mark that say it leaves. */
  resignations(since: number, host: string): readonly (Frame & Advert)[] {
    return this.adverts(since).filter(({ from, priority }) => from === host && priority === 0);
  }

  /** What was announced, asked or answered about an address since a mark. */
  about(since: number, kind: 'announcement' | 'question' | 'answer', address: string): readonly Seen[] {
    return this.seen.slice(since).filter((seen) => seen.kind === kind && seen.address === address);
  }
}
