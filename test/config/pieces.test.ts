/** Laws: reading piece by piece, with or without what was read before, tells what reading whole files tells. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { createConfigCache } from '../../src/config/cache.js';
import type { ConfigDeps } from '../../src/config/cursor.js';
import type { Config, ConfigResult } from '../../src/config/model.js';
import { parseConfig } from '../../src/config/parse.js';
import { parsePieces } from '../../src/config/pieces.js';
import { SERVERS_MAX } from '../../src/config/sizes.js';
import { splitServices } from '../../src/config/split.js';
import { parseWhole } from '../../src/config/whole.js';
import { finish } from '../../src/core/steps.js';
import { read } from '../house/project.js';
import { outside, source } from './given.js';
import { layout, pieces, text, textOf, wound, wounded } from './texts.js';

const SECRETS = outside({ TOKEN: 's3cret' });

/** Throws where the two differ. */
function expectSame(is: ConfigResult, shouldBe: ConfigResult, text: string): void {
  if (isDeepStrictEqual(is, shouldBe)) return;
  throw new Error(`${text}\n--- is\n${JSON.stringify(is)}\n--- should be\n${JSON.stringify(shouldBe)}`);
}

t.test('any file reads the same in pieces and as a whole', async (t) => {
  let cut = 0;
  const runs = 4000;
  fc.assert(
    fc.property(text, (text) => {
      const sources = [source(text)];
      if (finish(parsePieces(sources, SECRETS)) !== undefined) cut += 1;
      expectSame(parseConfig(sources, SECRETS), parseWhole(sources, SECRETS), text);
    }),
    { numRuns: runs },
  );
  t.ok(cut > runs / 10, `${cut} of ${runs} files were read in pieces`);
});

t.test('any folder reads the same in pieces and as whole files', async (t) => {
  let cut = 0;
  const runs = 500;
  const other = fc.constantFrom(
    '"serv\\u0069ces": { web: { address: 192.0.2.9:80, servers: [] } }\n',
    'alerts: {}\n',
    '{}\n',
    '# services: none\n{}\n',
    'services: {}\n',
    '{ "services": {} }',
    'name: b\n',
  );
  const folder = fc.array(fc.oneof({ weight: 2, arbitrary: text }, other), { minLength: 2, maxLength: 4 });
  fc.assert(
    fc.property(folder, (texts) => {
      const sources = texts.map((text, index) => source(text, `${index}.yaml`));
      if (finish(parsePieces(sources, SECRETS)) !== undefined) cut += 1;
      expectSame(parseConfig(sources, SECRETS), parseWhole(sources, SECRETS), texts.join('\n=====\n'));
    }),
    { numRuns: runs },
  );
  t.ok(cut > 0, `${cut} of ${runs} folders were read in pieces`);
});

t.test('after any edits a reload with a cache is a load without one', async (t) => {
  const steps = fc.array(fc.tuple(layout, pieces, fc.array(wound, { maxLength: 1 })), {
    minLength: 2,
    maxLength: 5,
  });
  fc.assert(
    fc.property(steps, (steps) => {
      const cache = createConfigCache();
      for (const [layout, pieces, wounds] of steps) {
        const text = wounded(textOf(layout, pieces), wounds);
        expectSame(parseConfig([source(text)], SECRETS, cache), parseWhole([source(text)], SECRETS), text);
      }
    }),
    { numRuns: 700 },
  );
  t.pass('edits of every kind');
});

const HEAD = 'name: a\n';
const WEB = 'services:\n  web:\n    address: 192.0.2.1:80\n    servers: [192.0.2.2]\n';
const DNS = '  dns:\n    address: 192.0.2.1:53\n    protocol: udp\n    servers: [192.0.2.3]\n';

function load(text: string, cache = createConfigCache(), deps: ConfigDeps = SECRETS): Config {
  const result = parseConfig([source(text)], deps, cache);
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result.config;
}

t.test('a service whose text is the same is the same object', async (t) => {
  const cache = createConfigCache();
  const before = load(HEAD + WEB + DNS, cache).services;
  const moved = load(`table: memory\n${HEAD}# comment\n${WEB}${DNS}`, cache).services;
  t.ok(moved[0] === before[0] && moved[1] === before[1], 'lines before the services mean nothing');
  const changed = load(HEAD + WEB + DNS.replace('192.0.2.3', '192.0.2.4'), cache).services;
  t.equal(changed[0], before[0]);
  t.not(changed[1], before[1]);
  t.equal(changed[1]?.servers[0]?.name, '192.0.2.4:53');
  const gone = load(HEAD + WEB, cache).services;
  t.ok(gone.length === 1 && gone[0] === before[0]);
  t.not(
    load(HEAD + WEB + DNS, cache).services[1],
    before[1],
    'what the last configuration had not is forgotten',
  );
});

t.test('a configuration that is wrong leaves the cache as it was', async (t) => {
  const cache = createConfigCache();
  const [before] = load(HEAD + WEB, cache).services;
  t.notOk(parseConfig([source(HEAD + WEB + DNS.replace('udp', 'icmp'))], SECRETS, cache).ok);
  t.notOk(parseConfig([source(`defaults: { check: { rise: 3 } }\n${WEB}${WEB}`)], SECRETS, cache).ok);
  t.equal(load(HEAD + WEB, cache).services[0], before);
});

t.test('other defaults make other services', async (t) => {
  const cache = createConfigCache();
  const rises = ['2', '3', '2'].map((rise) => {
    const { services } = load(`defaults: { check: { rise: ${rise} } }\n${WEB}`, cache);
    return services[0]?.servers[0]?.checks[0].rule.rise;
  });
  t.same(rises, [2, 3, 2]);
});

t.test('a service that asks for a secret or a file is read every time', async (t) => {
  const secret = `check: { type: http, headers: { x: "\${env:TOKEN}" } }`;
  const headers = (config: Config) =>
    config.services.map(({ servers }) => {
      const probe = servers[0]?.checks[0].probe;
      return probe?.type === 'http' ? probe.headers : [];
    });
  const places: readonly (readonly [string, string])[] = [
    ['in the service', `${HEAD}${WEB}    ${secret}\n`],
    ['in the defaults', `defaults: { ${secret} }\n${WEB}`],
    ['in a server', `${HEAD}${WEB.replace('[192.0.2.2]', `[{ address: 192.0.2.2, ${secret} }]`)}`],
  ];
  for (const [place, text] of places) {
    const cache = createConfigCache();
    t.same(headers(load(text, cache, outside({ TOKEN: 'old' }))), [[['x', 'old']]], place);
    t.same(headers(load(text, cache, outside({ TOKEN: 'new' }))), [[['x', 'new']]], place);
    t.notOk(parseConfig([source(text)], outside(), cache).ok, `${place}: and is wrong when it is gone`);
    t.equal(cache.services.size, 0, place);
  }
});

t.test('the rules over all services hold for those that are known', async (t) => {
  const cache = createConfigCache();
  load(HEAD + WEB + DNS, cache);
  const faults = (text: string) => {
    const result = parseConfig([source(text)], SECRETS, cache);
    return result.ok ? [] : result.faults.map(({ line, message }) => `${line}: ${message}`);
  };
  t.match(faults(HEAD + WEB + DNS + DNS)[0], /^10: the key dns stands here a second time/);
  t.match(
    faults(HEAD + WEB + DNS + DNS.replace(':53', ':54'))[0],
    /^10: the key dns stands here a second time/,
  );
  t.match(
    faults(HEAD + WEB + DNS + DNS.replace('dns', 'dns2'))[0],
    /^11: .*the service udp 192\.0\.2\.1:53 stands twice/,
  );
});

t.test('an anchor holds from where it stands to the next of its name, through all pieces', async (t) => {
  const text = `defaults: { check: { interval: &a 5s } }\n${WEB}    check: { interval: &a 7s }\nresync: *a\n`;
  t.equal(load(text).resync, 7000);
});

t.test('a piece that is not one service is never known again', async (t) => {
  const cache = createConfigCache();
  const explicit = 'services:\n  ? web\n';
  load(`${explicit}  : { address: 192.0.2.1:80, servers: [] }\n${DNS}`, cache);
  t.notOk(parseConfig([source(explicit + DNS)], SECRETS, cache).ok);
});

t.test('the servers of all services are counted, known or not', async (t) => {
  const list = Array.from(
    { length: 10_000 },
    (_, index) => `10.${index >> 12}.${(index >> 6) & 63}.${(index & 63) + 1}`,
  );
  const service = (index: number) =>
    `  s${index}:\n    address: 192.0.2.1:${index + 1}\n    servers: [${list.join(', ')}]\n`;
  const full = Array.from({ length: SERVERS_MAX / list.length }, (_, index) => service(index)).join('');
  const cache = createConfigCache();
  t.equal(load(`services:\n${full}`, cache).services.length, 5);
  const result = parseConfig([source(`services:\n${full}${DNS}`)], SECRETS, cache);
  t.match(result, { ok: false, faults: [{ line: 17, message: /more than 50000 servers/ }] });
});

t.test('the least example is read in pieces', async (t) => {
  const deps: ConfigDeps = {
    hostName: 'd',
    env: () => 'x',
    readFile: () => ({ ok: true, text: '-----BEGIN CERTIFICATE-----' }),
    hasPackage: () => true,
    programProblem: () => undefined,
  };
  const text = read('config/lvsentry.minimal.yaml');
  t.ok(splitServices(text) !== undefined && parsePieces([source(text)], deps) !== undefined);
});

t.test('a file is cut where its services begin, with what stands before the next', async (t) => {
  t.same(splitServices(`${HEAD}services: # all\n\n # first\n a:\n   x\n# of a\n\n b: {}\nend: 1\n`), {
    rest: `${HEAD}services: {} # all\n\n # first\nend: 1\n`,
    services: [' a:\n   x\n# of a\n\n', ' b: {}\n'],
  });
});

t.test('no text with another layout is cut', async (t) => {
  const texts: readonly (readonly [string, string])[] = [
    ['no services', HEAD],
    ['none below', 'services:\n'],
    ['none below, and other keys', `services:\n${HEAD}`],
    ['a flow mapping', 'services: { web: {} }\n'],
    ['a key in quotes', WEB.replace('services', '"services"')],
    ['a tab', `${WEB}#\t`],
    ['other line breaks', WEB.replaceAll('\n', '\r\n')],
    ['a byte order mark', `\ufeff${WEB}`],
    ['a line between the two indentations', `${WEB} x: 1\n`],
    ['not at the first column', ` ${WEB}`],
    ['far to the right', `services:\n${' '.repeat(40)}web: {}\n`],
  ];
  for (const [name, text] of texts) t.equal(splitServices(text), undefined, name);
});
