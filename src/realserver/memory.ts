/** What `up` remembers so that `down` can undo it, and what that comes to. */
import { LvsError } from '../core/errors.js';
import { ipFamily, parseIp } from '../core/ip.js';
import { inspect, WHOLE_PREFIX } from './inspect.js';
import type { ChangedSetting, HostSeen, Remembered, Step, VipPlace } from './model.js';

const FORMAT = 1;
const LIST_MAX = 4096;

export const NOTHING: Remembered = { vips: [], settings: [], raised: [] };

/** Only what `up` can have changed is ever written back: the file is an input like others. */
const SETTING =
  /^(ipv4\/conf\/[^/\s]{1,15}\/(arp_ignore|arp_announce|rp_filter)|ipv6\/conf\/[^/\s]{1,15}\/disable_ipv6)$/;
const VALUE = /^\d{1,3}$/;
const DEVICE = /^[^/\s]{1,15}$/;

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null;

function listOf<Item>(value: unknown, read: (item: unknown) => Item | undefined): Item[] | undefined {
  if (!Array.isArray(value) || value.length > LIST_MAX) return undefined;
  const items = value.map(read).filter((item) => item !== undefined);
  return items.length === value.length ? items : undefined;
}

function textOf(value: unknown, pattern: RegExp): string | undefined {
  return typeof value === 'string' && pattern.test(value) && !value.includes('..') ? value : undefined;
}

function vipOf(value: unknown): VipPlace | undefined {
  if (!isObject(value) || typeof value.address !== 'string' || typeof value.tunnel !== 'boolean')
    return undefined;
  const [address, device] = [parseIp(value.address), textOf(value.device, DEVICE)];
  return address === undefined || device === undefined
    ? undefined
    : { address, device, tunnel: value.tunnel };
}

function settingOf(value: unknown): ChangedSetting | undefined {
  if (!isObject(value)) return undefined;
  const path = textOf(value.path, SETTING);
  const [before, set] = [textOf(value.before, VALUE), textOf(value.set, VALUE)];
  return path === undefined || before === undefined || set === undefined ? undefined : { path, before, set };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @throws MALFORMED where `text` is not what `rememberedText` writes */
export function parseRemembered(text: string): Remembered {
  const value = parseJson(text);
  if (isObject(value) && value.format === FORMAT) {
    const vips = listOf(value.vips, vipOf);
    const settings = listOf(value.settings, settingOf);
    const raised = listOf(value.raised, (device) => textOf(device, DEVICE));
    if (vips !== undefined && settings !== undefined && raised !== undefined)
      return { vips, settings, raised };
  }
  throw new LvsError('MALFORMED', 'is not what `lvsentry realserver up` writes');
}

export function rememberedText(remembered: Remembered): string {
  return `${JSON.stringify({ format: FORMAT, ...remembered }, undefined, 2)}\n`;
}

export function isNothing({ vips, settings, raised }: Remembered): boolean {
  return vips.length === 0 && settings.length === 0 && raised.length === 0;
}

/** The same virtual IP on the same device; whether by tunnel is no matter of the address. */
function isSame(a: VipPlace, b: VipPlace): boolean {
  return a.address === b.address && a.device === b.device;
}

/** These virtual IPs are to be there. */
export function withVips(remembered: Remembered, vips: readonly VipPlace[]): Remembered {
  const others = remembered.vips.filter((known) => !vips.some((vip) => isSame(vip, known)));
  return { ...remembered, vips: [...others, ...vips] };
}

/** These steps are about to be taken. @param host before them */
export function withSteps(remembered: Remembered, steps: readonly Step[], host: HostSeen): Remembered {
  const settings = new Map(remembered.settings.map((each) => [each.path, each]));
  const raised = new Set(remembered.raised);
  for (const step of steps) {
    if (step.kind === 'setting') {
      const now = host.setting(step.path);
      if (now !== undefined) settings.set(step.path, { path: step.path, before: now, set: step.value });
    } else if (step.kind === 'link' && step.isTunnel) raised.add(step.device);
  }
  return { ...remembered, settings: [...settings.values()], raised: [...raised] };
}

export interface Undoing {
  /** Addresses first, so that none is ever there without its settings. */
  readonly steps: readonly Step[];
  /** What is remembered once that is done. */
  readonly after: Remembered;
  /** What stays as it is, and why. */
  readonly kept: readonly string[];
}

/** How to take virtual IPs away, and with them what no other one needs. */
export function undo(remembered: Remembered, gone: readonly VipPlace[], host: HostSeen): Undoing {
  const vips = remembered.vips.filter((known) => !gone.some((vip) => isSame(vip, known)));
  const removals = gone.filter(({ address, device }) => {
    const whole = WHOLE_PREFIX[ipFamily(address)];
    return host.addresses.some(
      (each) => each.address === address && each.device === device && each.prefix === whole,
    );
  });
  const needed = neededSettings(vips, host);
  const [kept, restored]: [string[], Step[]] = [[], []];
  for (const { path, before, set } of remembered.settings) {
    if (needed.has(path)) continue;
    const now = host.setting(path);
    if (now === set) restored.push({ kind: 'setting', path, value: before });
    else if (now !== undefined && now !== before)
      kept.push(`net/${path} stays at ${now}: somebody changed it since, from ${set}`);
  }
  const used = new Set(vips.map(({ device }) => device));
  const lowered = remembered.raised.filter((device) => !used.has(device));
  return {
    steps: [
      ...removals.map((vip): Step => ({ kind: 'remove', vip })),
      ...lowered
        .filter((device) => host.links.get(device)?.up === true)
        .map((device): Step => ({ kind: 'link', device, up: false, isTunnel: true })),
      ...restored,
    ],
    after: {
      vips,
      settings: remembered.settings.filter(({ path }) => needed.has(path)),
      raised: remembered.raised.filter((device) => used.has(device)),
    },
    kept,
  };
}

/** The settings that these virtual IPs would change, were they as they are without lvsentry. */
function neededSettings(vips: readonly VipPlace[], host: HostSeen): ReadonlySet<string> {
  const bare: HostSeen = { ...host, setting: bareSetting };
  return new Set(inspect(bare, vips).flatMap(({ step }) => (step?.kind === 'setting' ? [step.path] : [])));
}

/** The worst of each. */
function bareSetting(path: string): string {
  if (path.endsWith('/disable_ipv6') || path.endsWith('/rp_filter')) return '1';
  return path.endsWith('/arp_ignore') ? '7' : '3';
}
