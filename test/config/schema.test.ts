/** The schema, its reference and the examples say the same as the code does. */
import { Ajv } from 'ajv';
import t from 'tap';
import type { TSchema } from 'typebox';
import { difference } from '../../scripts/generated.js';
import { markdownTable } from '../../scripts/markdown.js';
import { CHECK_TYPES } from '../../src/checks/model.js';
import { faultText } from '../../src/config/faults.js';
import { loadConfig } from '../../src/config/load.js';
import { parseConfig } from '../../src/config/parse.js';
import {
  alert,
  configSchema,
  defaults,
  persistence,
  root,
  server,
  service,
  tunnel,
  webhook,
} from '../../src/config/schema.js';
import { api } from '../../src/config/schema-api.js';
import { dialogueStep } from '../../src/config/schema-check-bytes.js';
import { NAME_KEYS, PLACE_KEYS, RULE_KEYS, TARGET_KEYS } from '../../src/config/schema-check-keys.js';
import { anyCheck, CHECK_KINDS } from '../../src/config/schema-checks.js';
import { CHECK_KEYS } from '../../src/config/schema-facts.js';
import { hooks } from '../../src/config/schema-hooks.js';
import { maintenanceWindow } from '../../src/config/schema-maintenance.js';
import { state } from '../../src/config/schema-state.js';
import { trackedObject, trackedProcess, trackedScript, trackUse } from '../../src/config/schema-tracks.js';
import { readYaml } from '../../src/config/yaml.js';
import { filesBelow, modulesBelow, ROOT, read } from '../house/project.js';
import { configOf, source } from './given.js';

const EXAMPLES = filesBelow('config', /\.yaml$/);
const SECTIONS = {
  root,
  api,
  defaults,
  service,
  persistence,
  tunnel,
  server,
  anyCheck,
  dialogueStep,
  alert,
  webhook,
  hooks,
  state,
  maintenanceWindow,
  trackedObject,
  trackedProcess,
  trackedScript,
  trackUse,
};

type Option = TSchema & { readonly 'x-example'?: string; readonly 'x-default'?: string };

const OPTIONS = Object.entries(SECTIONS).flatMap(([section, { properties }]) =>
  Object.entries(properties).map(([key, option]) => ({ section, key, option: option as Option })),
);

t.test('every configuration that we ship loads on a machine that knows nothing of it', async (t) => {
  t.ok(EXAMPLES.length >= 4);
  for (const path of EXAMPLES) {
    const result = loadConfig(`${ROOT}/${path}`, { env: {}, hostName: 'director' });
    t.same(result.ok ? [] : result.faults.map(faultText), [], path);
  }
});

/** Secrets of documents: whatever they are called, they are there. */
const GENEROUS = {
  hostName: 'director',
  env: () => 'secret',
  readFile: () => ({ ok: true, text: '-----BEGIN CERTIFICATE----------BEGIN PRIVATE KEY-----' }) as const,
  hasPackage: () => true,
  programProblem: () => undefined,
};

t.test('every yaml block of the documents loads', async (t) => {
  const documents = [...filesBelow('docs', /\.md$/), 'README.md'].filter((path) =>
    filesBelow('.', /\.md$/).includes(path),
  );
  let blocks = 0;
  for (const path of documents) {
    for (const match of read(path).matchAll(/^```yaml\n([\s\S]*?)^```$/gm)) {
      const block = match[1] ?? '';
      // A block may show one section: it then stands beside a file that has the services.
      const beside = /^services:/m.test(block) ? [] : [source('services: {}', 'services.yaml')];
      const result = parseConfig([source(block, path), ...beside], GENEROUS);
      t.same(result.ok ? [] : result.faults.map(faultText), [], `${path}: ${block.slice(0, 40)}`);
      blocks += 1;
    }
  }
  t.ok(blocks >= 2, 'the reference alone has two');
});

t.test('the example documents every option', async (t) => {
  const text = read('config/lvsentry.example.yaml');
  const missing = OPTIONS.filter(({ key }) => !new RegExp(`(^|[\\s{])${key}:`, 'm').test(text));
  t.same(
    missing.map(({ section, key }) => `${section}.${key}`),
    [],
  );
});

t.test('the reference has every option with type, default, example and meaning', async (t) => {
  const text = read('docs/configuration.md');
  for (const { section, key, option } of OPTIONS) {
    t.ok(text.includes(`### \`${key}\`\n`), `${section}.${key} is there`);
    t.ok(
      option['x-example'] !== undefined && text.includes(`\`${key}: ${option['x-example']}\``),
      `${key}: an example`,
    );
  }
  t.notMatch(text, /undefined|\[object/);
});

function ajv(): Ajv {
  const made = new Ajv({ allErrors: true, discriminator: true, allowUnionTypes: true });
  for (const note of [
    'expects',
    'type',
    'example',
    'default',
    'relation',
    'range',
    'unit',
    'secret',
    'duration',
  ])
    made.addKeyword(`x-${note}`);
  return made;
}

t.test('the published schema is JSON Schema, and takes what we ship', async (t) => {
  const published: unknown = JSON.parse(read('config/lvsentry.schema.json'));
  t.same(published, JSON.parse(JSON.stringify(configSchema())));
  const validate = ajv().compile(published as object);
  for (const path of EXAMPLES) t.ok(validate(readYaml(source(read(path))).root?.value), path);
  t.notOk(validate({ services: { web: { serverss: [] } } }));
});

t.test('every example of the reference is a value that its option takes', async (t) => {
  const made = ajv();
  const { definitions } = configSchema();
  for (const { section, key, option } of OPTIONS) {
    const value = readYaml(source(`v: ${option['x-example']}`)).root?.fields?.get('v')?.node.value;
    t.ok(made.validate({ ...option, definitions }, value), `${section}.${key}: ${option['x-example']}`);
  }
});

const SERVICE = (more: string, serverMore = '') =>
  `services: { web: { address: "192.0.2.1:80", servers: [{ address: 192.0.2.2${serverMore} }]${more} } }`;
const TOP = (more: string) => `${SERVICE('')}${more === '' ? '' : `\n${more.slice(2)}`}`;
const IN_SERVICE = (more: string) => SERVICE(more);
const IN_SERVER = (more: string) => SERVICE('', `, upper-threshold: 0${more}`);
const IN_CHECK = (type: string) => (more: string) => SERVICE(`, check: { type: ${type}${more} }`);
const IN_ALERT = (more: string) => `services: {}\nalerts: { a: { webhook: { url: "http://x/" }${more} } }`;

/** Where an option stands, options whose default is a value; `more` is `, key: value`. */
const STATED_DEFAULTS: readonly (readonly [
  (more: string) => string,
  Record<string, TSchema>,
  readonly string[],
])[] = [
  [TOP, root.properties, ['table', 'resync', 'api']],
  [(more) => TOP(`, api: { ${more.slice(2)} }`), api.properties, ['listen']],
  [IN_SERVICE, service.properties, ['protocol', 'scheduler', 'forward', 'one-packet', 'on-failure']],
  [(more) => SERVICE(`, persistence: { netmask: 32${more} }`), persistence.properties, ['timeout']],
  [
    (more) => SERVICE(`, forward: tunnel, tunnel: { ${more.slice(2)} }`),
    tunnel.properties,
    ['type', 'checksum'],
  ],
  [(more) => SERVICE(`, forward: tunnel${more}`), service.properties, ['tunnel']],
  [IN_SERVER, server.properties, ['weight', 'lower-threshold']],
  [(more) => SERVICE('', more), server.properties, ['upper-threshold']],
  [IN_CHECK('tcp'), RULE_KEYS, ['interval', 'rise', 'fall', 'assume']],
  [IN_CHECK('http'), CHECK_KINDS.http.keys, ['path', 'status', 'method', 'body-limit']],
  [IN_CHECK('https'), CHECK_KINDS.https.keys, ['verify']],
  [IN_CHECK('ftp'), CHECK_KINDS.ftp.keys, ['user', 'tls']],
  [IN_CHECK('smtp'), CHECK_KINDS.smtp.keys, ['tls']],
  [IN_CHECK('udp'), CHECK_KINDS.udp.keys, ['payload', 'reply-required']],
  [(more) => SERVICE(`, check: { type: ftp, file: x${more} }`), CHECK_KINDS.ftp.keys, ['file-by']],
  [IN_ALERT, alert.properties, ['on', 'timeout', 'retries']],
];

t.test('the defaults that the reference states are the ones that hold', async (t) => {
  for (const [place, properties, keys] of STATED_DEFAULTS) {
    for (const key of keys) {
      const stated = (properties[key] as Option)['x-default'];
      t.same(configOf(place(`, ${key}: ${stated}`)), configOf(place('')), `${key}: ${stated}`);
    }
  }
});

t.test('every type of check has its keys, and the open form has them all', async (t) => {
  const expected = CHECK_TYPES.map((type) => {
    const { port, origin, keys } = CHECK_KINDS[type];
    const place = Object.keys(port === 'none' ? NAME_KEYS : origin === 'none' ? PLACE_KEYS : TARGET_KEYS);
    return [type, ['type', ...Object.keys(RULE_KEYS), ...place, ...Object.keys(keys)]];
  });
  t.same([...CHECK_KEYS], expected);
  const all = new Set([...CHECK_KEYS.values()].flat());
  t.same(new Set(Object.keys(anyCheck.properties)), all);
});

t.test('a key that several types of check have is the same in all of them', async (t) => {
  const open: Readonly<Record<string, unknown>> = anyCheck.properties;
  for (const type of CHECK_TYPES) {
    for (const [key, schema] of Object.entries(CHECK_KINDS[type].keys))
      t.strictSame(JSON.stringify(open[key]), JSON.stringify(schema), `${key} of ${type}`);
  }
});

t.test('the daemon never loads what the schema is written and compiled with', async (t) => {
  const modules = new Map(modulesBelow('src').map(({ path, imports }) => [path, imports]));
  const seen = new Set<string>();
  const waiting = ['src/config/load.ts'];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    for (const { target, typeOnly } of modules.get(path) ?? []) if (!typeOnly) waiting.push(target);
  }
  t.ok(seen.has('src/config/schema.generated.ts') && seen.has('js-yaml'), 'the walk sees what is loaded');
  t.notOk(seen.has('typebox') || seen.has('ajv'));
});

t.test('a difference shows the lines that differ, and no others', async (t) => {
  t.equal(difference('a\nb\n', 'a\nb\n'), '');
  t.equal(difference('a\nb\nc\n', 'a\nx\ny\nc\n'), '@@ line 2 @@\n- b\n+ x\n+ y');
  t.equal(difference('a\na\n', 'a\na\na\n'), '@@ line 3 @@\n+ a');
  t.equal(difference('', 'a'), '@@ line 1 @@\n- \n+ a');
  const long = Array.from({ length: 100 }, (_, index) => `${index}`).join('\n');
  t.equal(difference('x', long).split('\n').length, 22, 'bounded');
});

t.test('a table in Markdown is aligned, and bars in cells are escaped', async (t) => {
  t.equal(
    markdownTable([
      ['a', 'b'],
      ['long', 'x|y'],
    ]),
    '| a    | b    |\n| ---- | ---- |\n| long | x\\|y |',
  );
});
