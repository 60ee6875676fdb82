/** `docs/configuration.md`, from the schema. */
import type { TProperties, TSchema } from 'typebox';
import { CHECK_TYPES } from '../src/checks/model.js';
import { BLOCK_MAX } from '../src/config/address-block.js';
import { FOLDER_FILES_MAX } from '../src/config/load.js';
import {
  alert,
  defaults,
  persistence,
  root,
  SERVICES_MAX,
  server,
  service,
  tunnel,
  webhook,
} from '../src/config/schema.js';
import { markItem } from '../src/config/schema-addresses.js';
import { api, apiToken } from '../src/config/schema-api.js';
import { dialogueStep } from '../src/config/schema-check-bytes.js';
import { RULE_KEYS, TARGET_KEYS } from '../src/config/schema-check-keys.js';
import { CHECK_KINDS } from '../src/config/schema-checks.js';
import { hooks, notify } from '../src/config/schema-hooks.js';
import { maintenanceWindow } from '../src/config/schema-maintenance.js';
import { canary, massFailure } from '../src/config/schema-mass-failure.js';
import { probeBudget } from '../src/config/schema-probe-budget.js';
import { state } from '../src/config/schema-state.js';
import { sync } from '../src/config/schema-sync.js';
import { trackedObject, trackedProcess, trackedScript, trackUse } from '../src/config/schema-tracks.js';
import { router, unicast } from '../src/config/schema-vrrp.js';
import { virtualAddress } from '../src/config/schema-vrrp-addresses.js';
import { announce } from '../src/config/schema-vrrp-announce.js';
import { auth, hmac } from '../src/config/schema-vrrp-auth.js';
import { policyRule, route } from '../src/config/schema-vrrp-routes.js';
import { track } from '../src/config/schema-vrrp-track.js';
import { DESTS_MAX, ENTRIES_MAX, SERVERS_MAX } from '../src/config/sizes.js';
import { DEPTH_MAX, VALUES_MAX } from '../src/config/yaml.js';
import { markdownTable } from './markdown.js';

/** What an option's schema says of it. */
interface Option {
  readonly description?: string;
  readonly 'x-type'?: string;
  readonly 'x-unit'?: string;
  readonly 'x-default'?: string;
  readonly 'x-range'?: string;
  readonly 'x-example'?: string;
  readonly 'x-relation'?: string;
}

const INTRO = `# Configuration

This file is generated from the schema (\`npm run generate\`). Examples:
[minimal](../config/lvsentry.minimal.yaml), [direct routing](../config/lvsentry.direct-routing.yaml),
[every option](../config/lvsentry.example.yaml).

A configuration is one YAML 1.2 file (JSON is YAML), or a folder of files that end in \`.yaml\`, \`.yml\` or \`.json\`.
The files of a folder are read in the order of their names and merged: \`services\`, \`vrrp\`, \`tracks\` and \`alerts\`
may be spread over them, every other key stands in one file only, and no name stands twice.

\`lvsentry validate FILE\` tells all faults at once, each with line and column. A wrong configuration is refused
whole. Editors check and complete while you write when the file begins with

\`\`\`text
# yaml-language-server: $schema=/path/to/lvsentry.schema.json
\`\`\`

The least that does something:

\`\`\`yaml
services:
  web:
    address: 192.168.2.254:80
    servers: [192.168.2.2, 192.168.2.3]
\`\`\`

**Durations** are a number and a unit: \`250ms\`, \`2s\`, \`1.5m\`, \`1h\`, \`1d\`.
**Addresses** are literal; names are not looked up. An IPv6 address with a port stands in brackets, and then YAML
wants quotes: \`"[2001:db8::1]:80"\`.
**Names** consist of letters, digits, \`.\`, \`_\` and \`-\`, begin with a letter or digit and have at most 63 characters.
**Secrets** stand outside the file: \`\${env:NAME}\` is replaced by an environment variable, \`\${file:/path}\` by the
text of a file without its last line break. This works in \`user\`, \`password\`, \`headers\`, \`send\`, \`payload\`, \`url\`, \`secret\` and
\`keys\`, also inside a longer text.
**Unknown keys** are refused. YAML anchors and aliases may be used; tags and merge keys (\`<<\`) may not.
`;

const LIMITS = `## Limits

A file has at most 4 MiB and ${DEPTH_MAX} levels, and holds at most ${VALUES_MAX.toLocaleString('en')} values, aliases counted as what they stand for.
A folder has at most ${FOLDER_FILES_MAX} files and 16 MiB. There are at most ${SERVICES_MAX.toLocaleString('en')} services and ${SERVERS_MAX.toLocaleString('en')} servers.
A service has at most ${BLOCK_MAX.toLocaleString('en')} addresses, all together ${ENTRIES_MAX.toLocaleString('en')}; with each server counted at each address of its service, the table
holds at most ${DESTS_MAX.toLocaleString('en')}.
A file that a secret, \`authorities\`, \`certificate\` or \`key\` refers to has at most 1 MiB.
`;

const CHECKS = `## Checks

A check can stand in \`defaults\`, in a service and in a server. A server's check is completed from its service's, and
that from \`defaults.check\`: when to probe (\`interval\`, \`timeout\`, \`rise\`, \`fall\`, \`assume\`) key by key; \`port\` and the
keys of the type only where the types are the same (http and https count as the same here). \`type\` itself is
inherited too; without any, the check is \`tcp\`, which passes when a connection opens.

\`\`\`yaml
defaults:
  check: { interval: 5s, timeout: 2s }
services:
  web:
    address: 192.168.2.254:80
    check: { type: http, path: /health }
    servers:
      - 192.168.2.2
      - { address: 192.168.2.3, check: { path: /other } }
      - { address: 192.168.2.4, check: { type: tcp, fall: 5 } }
\`\`\`
`;

const HEADER = ['Type', 'Unit', 'Default', 'Range', 'Example'];

function describe(name: string, option: Option, required: boolean): string {
  const relation = option['x-relation'];
  const says = (option.description ?? '').replace(` ${relation}`, '');
  const example = option['x-example'];
  const cells = [
    option['x-type'] ?? '',
    option['x-unit'] ?? '',
    required ? 'must be there' : (option['x-default'] ?? 'none'),
    option['x-range'] ?? '',
    example === undefined ? '' : `\`${name}: ${example}\``,
  ];
  const relations = relation === undefined ? [] : [`Relations: ${relation}`, ''];
  return [`### \`${name}\``, '', says, '', ...relations, markdownTable([HEADER, cells]), ''].join('\n');
}

function options(properties: TProperties, required: readonly string[] = []): string {
  return Object.entries(properties)
    .map(([name, schema]) => describe(name, schema as TSchema & Option, required.includes(name)))
    .join('\n');
}

function part(
  title: string,
  schema: { properties: TProperties; required?: readonly string[] | undefined },
): string {
  return `## ${title}\n\n${options(schema.properties, schema.required)}`;
}

const TYPE: Option = {
  description: 'What is probed with; each type has a section below.',
  'x-type': 'word',
  'x-default': 'what the level above says, else tcp',
  'x-range': CHECK_TYPES.join(', '),
  'x-example': 'http',
};

/** One section for each kind of check: what passes, and its own keys. Those that another kind has too are named. */
function kinds(): readonly string[] {
  const told = new Map<string, string>();
  return CHECK_TYPES.map((type) => {
    const { says, keys } = CHECK_KINDS[type];
    const fresh = Object.entries(keys).filter(([key]) => !told.has(key));
    const shared = Object.keys(keys).filter((key) => told.has(key));
    for (const [key] of fresh) told.set(key, type);
    const links = shared.map((key) => `\`${key}\` (${told.get(key)})`);
    const also = links.length === 0 ? '' : `\n\nExplained elsewhere: ${links.join(', ')}.`;
    return `## Checks: ${type}\n\n${says}${also}\n\n${options(Object.fromEntries(fresh))}`;
  });
}

/** The whole reference. */
export function configurationReference(): string {
  return [
    INTRO,
    part('The file', root),
    part('`api`', api),
    part('`api: tokens:`', apiToken),
    part('`defaults`', defaults),
    part('`services.NAME`', service),
    `${part('`services.NAME.addresses[]`', markItem)}\nAn item may also be text: an address, a range or a network, each with its port.\n`,
    part('`services.NAME.persistence`', persistence),
    part('`tunnel` (in a service or a server)', tunnel),
    `${part('`services.NAME.servers[]`', server)}\nA server may also be just its address.\n`,
    CHECKS,
    describe('type', TYPE, false),
    options({ ...RULE_KEYS, ...TARGET_KEYS }),
    ...kinds(),
    part('`steps[]` (of a send-expect check)', dialogueStep),
    part('`vrrp.NAME`', router),
    part('`vrrp.NAME.addresses[]`', virtualAddress),
    part('`vrrp.NAME.routes[]`', route),
    part('`vrrp.NAME.rules[]`', policyRule),
    part('`vrrp.NAME.auth`', auth),
    part('`vrrp.NAME.auth.hmac`', hmac),
    part('`vrrp.NAME.unicast`', unicast),
    part('`vrrp.NAME.track`', track),
    part('`vrrp.NAME.track.objects[]`', trackUse),
    part('`vrrp.NAME.notify`', notify),
    part('`hooks`', hooks),
    part('`tracks.NAME`', trackedObject),
    part('`tracks.NAME.script`', trackedScript),
    part('`tracks.NAME.process`', trackedProcess),
    part('`vrrp.NAME.announce`', announce),
    part('`sync`', sync),
    part('`state`', state),
    part('`maintenance.NAME`', maintenanceWindow),
    part('`mass-failure`', massFailure),
    part('`mass-failure.canaries[]`', canary),
    part('`probe-budget`', probeBudget),
    part('`alerts.NAME`', alert),
    part('`alerts.NAME.webhook`', webhook),
    LIMITS,
  ].join('\n');
}
