/** A name in DNS in place of the address of a server: what each of its addresses is. */
import { serviceFamily } from '../ipvs/keys.js';
import { type Checked, type Context, type Cursor, claim, FAULTY, member, read, reportKey } from './cursor.js';
import type { NamedServers, ServerConfig } from './model.js';
import { type StatedName, statedName } from './names.js';
import type { RawServer } from './schema.js';
import type { RawServerName } from './schema-resolve.js';
import { destOf, type Placed, type Probing, probingOf, type ServiceFacts } from './server.js';
import { aimedAt } from './server-checks.js';

interface Label {
  readonly name: string;
  readonly host: StatedName;
}

function labelOf(
  context: Context,
  item: Cursor<RawServer>,
  at: Cursor<RawServerName>,
  { keys, names }: ServiceFacts,
): Checked<Label> {
  const address = member(item, 'address');
  if (address !== undefined && address !== FAULTY)
    return reportKey(context, address, 'there is `resolve` too; keep one of them');
  const given = member(item, 'name');
  if (keys === FAULTY || given === FAULTY) return FAULTY;
  const host = statedName(context, at, serviceFamily(keys.first));
  if (host === FAULTY) return FAULTY;
  const name = given?.value ?? host.host;
  return claim(context, names, given ?? host.at, 'the name', name) ? { name, host } : FAULTY;
}

/** Completes the servers that a name stands for. */
export function completeNamed(
  context: Context,
  item: Cursor<string | RawServer>,
  at: Cursor<RawServerName>,
  facts: ServiceFacts,
): Checked<NamedServers> {
  const fields = item as Cursor<RawServer>;
  const label = labelOf(context, fields, at, facts);
  const placed = label === FAULTY ? FAULTY : destOf(context, item, facts, label.host);
  const probing = placed === FAULTY ? FAULTY : probingOf(context, item, placed, facts);
  const tags = read(fields, 'tags', []);
  if (label === FAULTY || placed === FAULTY || probing === FAULTY || tags === FAULTY) return FAULTY;
  const { name, host } = label;
  const tagged = tags.length === 0 ? {} : { tags };
  const serverAt = namedServer(facts.name, name, { ...placed, ...tagged }, probing);
  const question = { host: host.host, family: host.family, loopback: facts.onLoopback };
  const { weight } = placed.dest.settings;
  return { name, question, most: host.most, weight, ...tagged, serverAt };
}

/** What makes a server of an address. Nothing of the file is held on to. */
function namedServer(
  service: string,
  label: string,
  { dest: { key, settings }, ...placed }: Placed & Pick<ServerConfig, 'tags'>,
  { aims, needed }: Probing,
): NamedServers['serverAt'] {
  return (address) => {
    const name = `${label}@${address}`;
    const dest = { key: { address, port: key.port }, settings };
    const checks = aimedAt(aims, { service, server: name }, address);
    return { name, dest, ...placed, checks, needed };
  };
}
