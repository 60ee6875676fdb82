/** tls, dns, ntp and sip checks. */
import type { DnsCheck, NtpCheck, SipCheck } from '../checks/spec-datagram.js';
import type { Target } from '../checks/spec-target.js';
import type { TlsCheck } from '../checks/spec-text.js';
import { ipFamily, parseIp } from '../core/ip.js';
import { statusRanges } from './check-http-urls.js';
import { tlsSettings } from './check-tls.js';
import { type Checked, type Context, FAULTY, report } from './cursor.js';
import { type Layers, pick, pickValue } from './layers.js';

/** RFC 1035 4.1.1, in the order of their numbers. */
const RCODES: readonly string[] = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

/** RFC 1035 3.2.2 and the registry of IANA. */
const RECORDS: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  DS: 43,
  RRSIG: 46,
  DNSKEY: 48,
  SVCB: 64,
  HTTPS: 65,
  CAA: 257,
};

/** The handshake that these layers describe. */
export function tlsProbe(context: Context, layers: Layers): Checked<(target: Target) => TlsCheck> {
  const tls = tlsSettings(context, layers, []);
  return tls === FAULTY ? FAULTY : (target) => ({ type: 'tls', target, tls });
}

function recordType(context: Context, layers: Layers): Checked<number> {
  const at = pick(layers, 'record');
  if (at === FAULTY) return FAULTY;
  if (at === undefined) return RECORDS.SOA ?? 0;
  const number = RECORDS[at.value] ?? Number(/^TYPE(\d{1,5})$/.exec(at.value)?.[1] ?? 0);
  if (number > 0 && number < 0x1_0000) return number;
  const known = Object.keys(RECORDS).join(', ');
  return report(context, at, `"${at.value}" is not one of ${known}, or a number such as TYPE65`);
}

/** Addresses in the form in which answers are told. */
function answer(context: Context, layers: Layers, record: Checked<number>): Checked<string | undefined> {
  const at = pick(layers, 'answer');
  if (at === undefined || at === FAULTY) return at;
  const family = record === RECORDS.A ? 'ipv4' : record === RECORDS.AAAA ? 'ipv6' : undefined;
  if (family === undefined) return at.value;
  const address = parseIp(at.value);
  if (address !== undefined && ipFamily(address) === family) return address;
  return report(context, at, `"${at.value}" is not an ${family === 'ipv4' ? 'IPv4' : 'IPv6'} address`);
}

/** The DNS check that these layers describe. */
export function dnsProbe(context: Context, layers: Layers): Checked<(target: Target) => DnsCheck> {
  const transport = pickValue(layers, 'transport', 'udp');
  const name = pickValue(layers, 'query', '.');
  const record = recordType(context, layers);
  const word = pickValue(layers, 'rcode', 'NOERROR');
  const wanted = answer(context, layers, record);
  if (transport === FAULTY || name === FAULTY || record === FAULTY) return FAULTY;
  if (word === FAULTY || wanted === FAULTY) return FAULTY;
  const rcode = RCODES.indexOf(word);
  return (target) => ({ type: 'dns', target, transport, name, record, rcode, answer: wanted });
}

/** The NTP check that these layers describe. */
export function ntpProbe(_context: Context, layers: Layers): Checked<(target: Target) => NtpCheck> {
  const maxStratum = pickValue(layers, 'maximum-stratum', 15);
  return maxStratum === FAULTY ? FAULTY : (target) => ({ type: 'ntp', target, maxStratum });
}

/** The SIP check that these layers describe. */
export function sipProbe(context: Context, layers: Layers): Checked<(target: Target) => SipCheck> {
  const transport = pickValue(layers, 'transport', 'udp');
  const status = statusRanges(context, layers);
  if (transport === FAULTY || status === FAULTY) return FAULTY;
  return (target) => ({ type: 'sip', target, transport, status });
}
