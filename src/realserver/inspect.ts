/**
 * From what a machine has to what a real server needs: a list of points. Level-based: where all is right there is nothing
 * to do. How the settings count together: IN_DEV_MAXCONF of linux/inetdevice.h takes the higher one of `all` and the
 * interface.
 */
import { ipFamily } from '../core/ip.js';
import { settingLine, settingName, shellLine } from '../core/shell.js';
import type { HostAddress, HostSeen, Point, Step, TunnelKind, VipPlace } from './model.js';

type Setting = Extract<Step, { kind: 'setting' }>;

/** What one setting has to be: what else is right than what is written, and what is wrong with the rest. */
interface Rule {
  readonly name: string;
  readonly value: string;
  readonly isRight: (value: number) => boolean;
  readonly without: string;
}

/** arp_ignore of net/ipv4/arp.c: 3 spares addresses of scope host alone, 4 to 7 mean nothing and spare none. */
const ARP_IGNORE: Rule = {
  name: 'arp_ignore',
  value: '1',
  isRight: (value) => value === 1 || value === 2 || value === 8,
  without: 'this machine answers ARP requests for the virtual IP, and takes it from the director',
};
/** arp_solicit of net/ipv4/arp.c: with anything but 2 a request may bear the virtual IP as its sender. */
const ARP_ANNOUNCE: Rule = {
  name: 'arp_announce',
  value: '2',
  isRight: (value) => value === 2,
  without: 'ARP requests of this machine announce the virtual IP, and take it from the director',
};
const ARP_RULES = [ARP_IGNORE, ARP_ANNOUNCE] as const;

/** The devices that the modules make, by the family of what is tunnelled. */
const TUNNELS: Readonly<Record<string, { readonly kind: TunnelKind; readonly module: string }>> = {
  tunl0: { kind: 'ipip', module: 'ipip' },
  ip6tnl0: { kind: 'ip6tnl', module: 'ip6_tunnel' },
};

/** Devices on which nobody asks: a server may be ready for direct routing and tunnels at once. */
const SILENT: ReadonlySet<string> = new Set(['lo', ...Object.keys(TUNNELS)]);

export const WHOLE_PREFIX = { ipv4: 32, ipv6: 128 } as const;

/** What keeps the kernel from choosing the virtual IP as the source of this machine's own connections. */
const NEVER_SOURCE = { ipv4: ['scope', 'host'], ipv6: ['preferred_lft', '0', 'nodad'] } as const;

const isIpv4 = ({ address }: VipPlace): boolean => ipFamily(address) === 'ipv4';

function right(id: string, text: string): Point {
  return { id, ok: true, text, fix: undefined, step: undefined };
}

/** The point of a setting that has to be `value` here. */
function settingPoint(
  id: string,
  step: Setting,
  seen: string | undefined,
  isOk: boolean,
  why: string,
): Point {
  const is = `${settingName(step.path)} is ${seen ?? 'missing'}`;
  if (isOk) return right(id, is);
  return { id, ok: false, text: `${is}: ${why}`, fix: settingLine([step.path, step.value]), step };
}

function numberAt(host: HostSeen, path: string): number {
  return Number(host.setting(path) ?? Number.NaN);
}

function arpPoints(host: HostSeen, devices: readonly string[]): Point[] {
  return ARP_RULES.flatMap((rule) => {
    const pathOf = (name: string) => `ipv4/conf/${name}/${rule.name}`;
    const id = rule.name.replace('_', '-');
    const point = (name: string, isOk: boolean) => {
      const path = pathOf(name);
      const step: Setting = { kind: 'setting', path, value: rule.value };
      return settingPoint(`${id} ${name}`, step, host.setting(path), isOk, rule.without);
    };
    const own = ['all', ...devices].map((name) => point(name, rule.isRight(numberAt(host, pathOf(name)))));
    // What an interface has of its own may be higher, and then it is what counts.
    const others = [...host.links.keys()].filter((name) => !devices.includes(name));
    const wrong = others.filter((name) => {
      const value = numberAt(host, pathOf(name));
      return value > Number(rule.value) && !rule.isRight(value);
    });
    return [...own, ...wrong.map((name) => point(name, false))];
  });
}

/** Strict, or the higher one of two that makes strict loose; 0 leaves other interfaces to themselves. */
const STRICT = 1;
const LOOSE = '2';

/** What comes out of a tunnel has a source that is routed elsewhere: a strict filter drops it. */
function filterPoint(host: HostSeen, device: string): Point {
  const path = `ipv4/conf/${device}/rp_filter`;
  const all = numberAt(host, 'ipv4/conf/all/rp_filter');
  const isOk = Math.max(all, numberAt(host, path)) !== STRICT;
  const step: Setting = { kind: 'setting', path, value: all === STRICT ? LOOSE : '0' };
  const why = 'with net.ipv4.conf.all.rp_filter it drops what comes out of the tunnel';
  return settingPoint(`rp-filter ${device}`, step, host.setting(path), isOk, why);
}

function enabledPoint(host: HostSeen, device: string): Point {
  const path = `ipv6/conf/${device}/disable_ipv6`;
  const step: Setting = { kind: 'setting', path, value: '0' };
  const seen = host.setting(path);
  const id = `ipv6 ${device}`;
  if (seen === undefined)
    return { id, ok: false, text: 'this kernel has no IPv6', fix: undefined, step: undefined };
  return settingPoint(id, step, seen, seen === '0', 'no IPv6 address can be there');
}

/** The device itself; further points only once it is there. */
function devicePoints(host: HostSeen, device: string, vips: readonly VipPlace[]): Point[] {
  const link = host.links.get(device);
  const isTunnel = vips.some(({ tunnel }) => tunnel);
  const id = `device ${device}`;
  if (link === undefined) {
    const made = isTunnel ? TUNNELS[device] : undefined;
    const step: Step | undefined = made && { kind: 'create', device, tunnel: made.kind };
    const fix = made && shellLine('modprobe', made.module);
    return [{ id, ok: false, text: `there is no device ${device}`, fix, step }];
  }
  const step: Step = { kind: 'link', device, up: true, isTunnel };
  const fix = shellLine('ip', 'link', 'set', device, 'up');
  return [
    link.up
      ? right(id, `${device} is up`)
      : { id, ok: false, text: `${device} is down: nothing comes in by it`, fix, step },
    ...(isTunnel && vips.some(isIpv4) ? [filterPoint(host, device)] : []),
    ...(vips.every(isIpv4) ? [] : [enabledPoint(host, device)]),
  ];
}

function addressPoints(host: HostSeen, vip: VipPlace): Point[] {
  const { address, device } = vip;
  const whole = WHOLE_PREFIX[ipFamily(address)];
  const there = host.addresses.filter((each) => each.address === address);
  const isRight = (each: HostAddress) => each.device === device && each.prefix === whole;
  const name = `${address}/${whole}`;
  const here: Point = there.some(isRight)
    ? right(`address ${address}`, `${name} is on ${device}`)
    : {
        id: `address ${address}`,
        ok: false,
        text: `${name} is not on ${device}: packets for it are not taken`,
        fix: shellLine('ip', 'address', 'add', name, 'dev', device, ...NEVER_SOURCE[ipFamily(address)]),
        step: { kind: 'add', vip },
      };
  const isSilent = (each: HostAddress) => each.prefix === whole && SILENT.has(each.device);
  const elsewhere = there.filter((each) => !isRight(each) && !isSilent(each));
  return [here, ...elsewhere.map((each) => strayPoint(each, device))];
}

/** The virtual IP where it does harm. Somebody put it there, and may have had a reason: it is not for us to take away. */
function strayPoint({ address, device, prefix }: HostAddress, home: string): Point {
  const harm =
    device === home
      ? 'every address of that network is taken for one of this machine, or reached by this device'
      : `a device other than ${home} may answer for it, and take it from the director`;
  return {
    id: `stray ${address} ${device}`,
    ok: false,
    text: `${address}/${prefix} is on ${device}: ${harm}`,
    fix: shellLine('ip', 'address', 'del', `${address}/${prefix}`, 'dev', device),
    step: undefined,
  };
}

/** All that these virtual IPs need, right or wrong, in the order in which it has to be put right. */
export function inspect(host: HostSeen, vips: readonly VipPlace[]): Point[] {
  const devices = [...new Set(vips.map(({ device }) => device))];
  const of = (device: string) => vips.filter((vip) => vip.device === device);
  const withIpv4 = devices.filter((device) => of(device).some(isIpv4));
  const present = withIpv4.filter((device) => host.links.has(device));
  return [
    ...(withIpv4.length === 0 ? [] : arpPoints(host, present)),
    ...devices.flatMap((device) => devicePoints(host, device, of(device))),
    ...vips.flatMap((vip) => addressPoints(host, vip)),
  ];
}

const STAGES: readonly Step['kind'][] = ['setting', 'create', 'link', 'add'];

/**
 * What to do first of all that is to be done: settings, then devices, then addresses, so that no address is ever there
 * without its settings. Afterwards one has to look again.
 */
export function nextSteps(points: readonly Point[]): readonly Step[] {
  const steps = points.flatMap(({ step }) => (step === undefined ? [] : [step]));
  const stage = STAGES.find((kind) => steps.some((step) => step.kind === kind));
  return steps.filter(({ kind }) => kind === stage);
}
