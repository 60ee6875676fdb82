/** The three programs are told the same: how many services, which servers, and which of them weigh something else. */
import t from 'tap';
import { operations } from '../../bench/messages.js';
import {
  checkedEntries,
  entries,
  ipvsadmLines,
  keepalivedConfig,
  lvsentryConfig,
} from '../../bench/workload.js';
import { parseConfig } from '../../src/config/parse.js';
import { endpointText } from '../../src/core/ip.js';
import { outside } from '../config/given.js';

const SIZE = { services: 300, servers: 3 };
const API = 'unix:/run/bench.sock';

/** What lvsentry makes of its configuration: `VIP SERVER WEIGHT`. */
function ours(text: string): readonly string[] {
  const result = parseConfig([{ file: 'bench.yaml', text }], outside());
  if (!result.ok) throw new Error(result.faults.map(({ message }) => message).join('; '));
  return result.config.services.flatMap(({ entries: [first], servers }) =>
    servers.map(({ dest: { key, settings } }) => {
      const vip = first.key.kind === 'address' ? first.key.address : '';
      return `${vip} ${endpointText(key.address, key.port)} ${settings.weight}`;
    }),
  );
}

function keepaliveds(text: string): readonly string[] {
  let vip = '';
  const found: string[] = [];
  for (const line of text.split('\n')) {
    const [word, first, second] = line.trim().split(' ');
    if (word === 'virtual_server') vip = first ?? '';
    if (word === 'real_server') found.push(`${vip} ${first}:${second}`);
    if (word === 'weight') found.push(`${found.pop()} ${first}`);
  }
  return found;
}

t.test('both daemons are told the same, with the weights of one or many services changed', async (t) => {
  for (const changed of [1, 10, 300]) {
    for (const isChecked of [false, true]) {
      const wish = { size: SIZE, weight: 7, changed, isChecked };
      const told = ours(lvsentryConfig(wish, API));
      t.same(told, keepaliveds(keepalivedConfig(wish)), `${changed} ${isChecked}`);
      t.equal(told.filter((line) => line.endsWith(' 7')).length, changed);
      t.ok(told.at(-3)?.endsWith(' 7'), 'the last service is among them: the bench waits for it');
    }
  }
});

t.test('no two servers of the workload are the same, checked or not', async (t) => {
  for (const all of [entries({ services: 5000, servers: 10 }), checkedEntries(SIZE)]) {
    const servers = all.flatMap((entry) => entry.servers);
    t.equal(new Set(servers).size, servers.length);
    t.equal(new Set(all.map(({ vip }) => vip)).size, all.length);
  }
});

t.test('what ipvsadm and C add is what the daemons add', async (t) => {
  const told = ours(lvsentryConfig({ size: SIZE, weight: 1, changed: 1, isChecked: false }, API));
  const restored = ipvsadmLines(SIZE)
    .split('\n')
    .filter((line) => line.startsWith('-a'))
    .map((line) => line.replace(/^-a -t (\S+):80 -r (\S+) -g -w (\d+)$/, '$1 $2 $3'));
  t.same(restored, told);
  const added = operations(SIZE).flatMap((operation) => {
    if (operation.kind !== 'add-dest' || operation.service.kind !== 'address') return [];
    const { key, settings } = operation.dest;
    return [`${operation.service.address} ${endpointText(key.address, key.port)} ${settings.weight}`];
  });
  t.same(added, told);
  t.equal(operations(SIZE).length, told.length + SIZE.services);
});
