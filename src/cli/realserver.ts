/** `lvsentry realserver`: what a real server needs for direct routing and tunnels. */
import { LvsError } from '../core/errors.js';
import { type Ip, ipFamily, isMulticast, parseIp } from '../core/ip.js';
import type { Outcome } from '../realserver/keeper.js';
import type { Point, VipPlace } from '../realserver/model.js';
import { type CliContext, EXIT, type Given } from './context.js';

const TUNNEL_DEVICES = { ipv4: 'tunl0', ipv6: 'ip6tnl0' } as const;
/** IFNAMSIZ of linux/if.h less one, and what dev_valid_name of net/core/dev.c refuses. */
const DEVICE_PATTERN = /^(?!\.{1,2}$)[^/\s:]{1,15}$/;
const VIPS_MAX = 1024;

function readVip(text: string): Ip {
  const address = parseIp(text);
  if (address === undefined || isMulticast(address) || /^(0\.|127\.|::1?$)/.test(address))
    throw new LvsError(
      'USAGE',
      `--vip "${text}" is not the address of a service: write 192.0.2.1 or 2001:db8::1`,
    );
  return address;
}

function placesOf(given: Given): VipPlace[] {
  const device = given.text('interface');
  if (device !== undefined && !DEVICE_PATTERN.test(device))
    throw new LvsError('USAGE', `--interface "${device}" is no name of an interface`);
  const addresses = [...new Set(given.texts('vip').map(readVip))];
  if (addresses.length > VIPS_MAX) throw new LvsError('USAGE', `more than ${VIPS_MAX} virtual IPs`);
  const tunnel = given.flag('tunnel');
  return addresses.map((address) => ({
    address,
    device: device ?? (tunnel ? TUNNEL_DEVICES[ipFamily(address)] : 'lo'),
    tunnel,
  }));
}

type Report = Omit<Outcome, 'points'> & { readonly points?: readonly Point[] };

function reportJson({ points, done, troubles }: Report, ok: boolean): string {
  const listed = points?.map(({ id, ok: isOk, text, fix }) => ({ id, ok: isOk, text, fix: fix ?? null }));
  return JSON.stringify({ ok, points: listed ?? [], done, troubles });
}

function print(context: CliContext, { points, done, troubles }: Report): void {
  for (const text of done) context.out(`done   ${text}`);
  for (const { ok, text, fix } of points ?? []) {
    context.out(`${ok ? 'ok   ' : 'wrong'}  ${text}`);
    if (!ok && fix !== undefined) context.out(`         ${fix}`);
  }
  if (done.length === 0 && points === undefined && troubles.length === 0) context.out('nothing to undo');
  for (const text of troubles) context.err(`lvsentry: ${text}`);
}

export async function run(context: CliContext, given: Given): Promise<number> {
  const vips = placesOf(given);
  const server = await context.openRealServer();
  try {
    const action = given.text('action');
    const report: Report =
      action === 'up'
        ? await server.up(vips)
        : action === 'down'
          ? await server.down(vips)
          : { points: await server.check(vips), done: [], troubles: [] };
    const ok = report.troubles.length === 0 && (report.points ?? []).every((point) => point.ok);
    if (given.flag('json')) context.out(reportJson(report, ok));
    else print(context, report);
    return ok ? EXIT.done : EXIT.failed;
  } finally {
    server.close();
  }
}
