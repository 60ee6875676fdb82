/** A server that is checked itself and through its service: what is told of which failure. */
import t from 'tap';
import type { Check } from '../../src/checks/model.js';
import type { ServerConfig, ServiceConfig } from '../../src/config/model.js';
import { newsHappening } from '../../src/describe.js';
import { change } from '../ipvs/build.js';
import { Desk, web } from './build.js';

const WORDS = /; the server is well, the path to it is broken/;

/** One server with these checks: those called `path` go through the service. */
function checked(names: readonly string[], needed = names.length): ServiceConfig {
  const service = web([1]);
  const [server] = service.servers;
  if (server === undefined) throw new Error('no server');
  const [plain] = server.checks;
  const through = { family: 'ipv4', dest: server.dest } as const;
  const checks = names.map(
    (name): Check => ({
      ...plain,
      id: `${plain.id}/${name}`,
      ...(name.startsWith('path') ? { through } : {}),
    }),
  );
  const [first = plain, ...others] = checks;
  const its: ServerConfig = { ...server, checks: [first, ...others], needed };
  return { ...service, servers: [its] };
}

const ID = 'web/192.0.2.11:80';
const up = (name: string) => change(`${ID}/${name}`, 'up', 'unknown');
const down = (name: string) => change(`${ID}/${name}`, 'down', 'up');

/** @returns what is told of it */
function told(desk: Desk, ...changes: Parameters<Desk['changes']>[0][]): readonly string[] {
  return changes.flatMap((each) =>
    desk.book.verdict(each, desk.at()).news.map((news) => newsHappening(news).message),
  );
}

const isWell = (desk: Desk, name: string): boolean =>
  desk.book.view().health.get(name === '' ? ID : `${ID}/${name}`)?.lastChange?.result.reason.serverIsWell ===
  true;

t.test('the server answers, and not through the service', async (t) => {
  const desk = new Desk(checked(['own', 'path']));
  told(desk, [up('own'), up('path')]);
  t.match(told(desk, [down('path')])[0], WORDS);
  t.ok(isWell(desk, 'path'));
  t.ok(isWell(desk, ''), 'and so it is told of the server');
});

t.test('the server is down, itself and therefore through the service', async (t) => {
  const desk = new Desk(checked(['own', 'path']));
  told(desk, [up('own'), up('path')]);
  for (const text of told(desk, [down('own')], [down('path')])) t.notMatch(text, WORDS);
  t.notOk(isWell(desk, 'path'));
  t.notOk(isWell(desk, 'own'), 'it is never said of the check of the server itself');
});

t.test('what is said follows the server', async (t) => {
  const desk = new Desk(checked(['own', 'path']));
  told(desk, [up('own'), up('path')], [down('path')], [down('own')]);
  t.notOk(isWell(desk, 'path'), 'it fails as well by now');
  told(desk, [up('own')]);
  t.ok(isWell(desk, 'path'), 'it is well again, its path is not');
  told(desk, [up('path')]);
  t.notOk(isWell(desk, 'path'));
});

t.test('nothing is said where nobody knows', async (t) => {
  const alone = new Desk(checked(['path-a', 'path-b']));
  t.notMatch(told(alone, [down('path-a')])[0], WORDS, 'there is no check of the server itself');
  const early = new Desk(checked(['own', 'path']));
  t.notMatch(told(early, [down('path')])[0], WORDS, 'it was never heard');
  told(early, [up('own')]);
  t.ok(isWell(early, 'path'), 'it is said once it was');
  const two = new Desk(checked(['own', 'other', 'path']));
  told(two, [up('own'), down('other'), down('path')]);
  t.notOk(isWell(two, 'path'), 'one of its own checks fails too');
});
