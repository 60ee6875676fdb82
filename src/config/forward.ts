import type { Forward } from '../ipvs/model.js';
import {
  type Checked,
  type Context,
  type Cursor,
  FAULTY,
  member,
  read,
  report,
  reportKey,
} from './cursor.js';
import type { RawServer, RawService, RawTunnel } from './schema.js';

const IPIP: Forward = { method: 'tunnel', type: 'ipip', port: 0, checksum: 'none' };

function tunnelPort(context: Context, at: Cursor<RawTunnel>, type: string): Checked<number> {
  const port = member(at, 'port');
  if (port === FAULTY) return FAULTY;
  if (type === 'gue' && port === undefined) {
    return report(context, at, 'a gue tunnel needs `port`, the UDP port on the server (6080 as a rule)');
  }
  if (type !== 'gue' && port !== undefined) {
    return reportKey(context, port, `only gue tunnels have a port; this tunnel is ${type}`);
  }
  return port?.value ?? 0;
}

function tunnelOf(context: Context, at: Cursor<RawTunnel>): Checked<Forward> {
  const type = read(at, 'type', 'ipip');
  if (type === FAULTY) return FAULTY;
  const port = tunnelPort(context, at, type);
  const checksum = read(at, 'checksum', 'none');
  if (port === FAULTY || checksum === FAULTY) return FAULTY;
  const sums = { ipip: ['none'], gre: ['none', 'checksum'], gue: ['none', 'checksum', 'remote-checksum'] };
  if (sums[type].includes(checksum)) return { method: 'tunnel', type, port, checksum };
  const where = member(at, 'checksum');
  if (where === undefined || where === FAULTY) return FAULTY;
  return report(
    context,
    where,
    `${checksum} is not for ${type} tunnels; they take ${sums[type].join(' or ')}`,
  );
}

/**
 * How packets reach a server: `forward` and `tunnel` of this level.
 * @param inherited what holds where this level says nothing.
 */
export function forwardOf(
  context: Context,
  at: Cursor<RawService> | Cursor<RawServer>,
  inherited: Checked<Forward>,
): Checked<Forward> {
  const method = member(at as Cursor<RawServer>, 'forward');
  const tunnel = member(at as Cursor<RawServer>, 'tunnel');
  if (method === FAULTY || tunnel === FAULTY) return FAULTY;
  if (method === undefined && tunnel === undefined) return inherited;
  const chosen = method?.value ?? (inherited === FAULTY ? FAULTY : inherited.method);
  if (chosen === FAULTY) return FAULTY;
  if (tunnel !== undefined && chosen !== 'tunnel') {
    return reportKey(context, tunnel, `\`forward\` is ${chosen} here; a tunnel needs \`forward: tunnel\``);
  }
  if (tunnel !== undefined) return tunnelOf(context, tunnel);
  if (chosen !== 'tunnel') return { method: chosen };
  return inherited !== FAULTY && inherited.method === 'tunnel' ? inherited : IPIP;
}
