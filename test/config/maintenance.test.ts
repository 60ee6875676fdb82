/** `maintenance:` and `tags`. */
import t from 'tap';
import { millis } from '../../src/core/units.js';
import type { MaintenanceWindow } from '../../src/maintenance/model.js';
import { configOf, faultsOf } from './given.js';

const SERVICES = `
services:
  web:
    address: 192.0.2.1:80
    servers:
      - { name: web1, address: 192.0.2.11, tags: [rack-3, old] }
      - { name: web2, address: 192.0.2.12 }
  shop:
    address: 192.0.2.1:443
    tags: [shops]
    servers:
      - { name: shop1, address: 192.0.2.11, tags: [rack-4] }
      - { name: web2, address: 192.0.2.13 }
`;

const text = (keys: string): string => `${SERVICES}maintenance: { w: { ${keys} } }\n`;

function windowOf(keys: string): MaintenanceWindow {
  const [window] = configOf(text(keys)).maintenance;
  if (window === undefined) throw new Error('no window');
  return window;
}

const AGAIN = 'schedule: 0 3 * * sun, duration: 2h';

t.test('without it there is none', async (t) => {
  t.same(configOf(SERVICES).maintenance, []);
});

t.test('a window that comes again, and one that comes once', async (t) => {
  t.same(windowOf(`${AGAIN}, services: [web]`), {
    name: 'w',
    times: { kind: 'recurring', schedule: '0 3 * * sun', timezone: 'UTC', duration: millis(7_200_000) },
    servers: ['web/web1', 'web/web2'],
    ahead: millis(0),
    reason: undefined,
  });
  const zone = windowOf(`${AGAIN}, timezone: Europe/Berlin, ahead: 10m, reason: new disks, services: [web]`);
  t.match(zone, { times: { timezone: 'Europe/Berlin' }, ahead: 600_000, reason: 'new disks' });
  const once = windowOf('from: 2026-12-01T03:00:00+01:00, until: 2026-12-01T04:30:00Z, services: [web]');
  t.same(once.times, { kind: 'once', from: Date.UTC(2026, 11, 1, 2), until: Date.UTC(2026, 11, 1, 4, 30) });
});

const NAMED: readonly (readonly [string, readonly string[]])[] = [
  ['services: [shop]', ['shop/shop1', 'shop/web2']],
  ['servers: [web1]', ['web/web1']],
  ['servers: [web2]', ['web/web2', 'shop/web2']],
  ['servers: [shop/web2]', ['shop/web2']],
  ['servers: [192.0.2.11]', ['web/web1', 'shop/shop1']],
  ['tags: [rack-3]', ['web/web1']],
  ['tags: [rack-3, rack-4]', ['web/web1', 'shop/shop1']],
  ['tags: [shops]', ['shop/shop1', 'shop/web2']],
  ['tags: [old], servers: [web1, shop/shop1], services: [web]', ['web/web1', 'web/web2', 'shop/shop1']],
];

t.test('servers are named by name, address, service and tag, and each counts once', async (t) => {
  for (const [keys, expected] of NAMED) t.same(windowOf(`${AGAIN}, ${keys}`).servers, expected, keys);
});

const WRONG: readonly (readonly [string, RegExp])[] = [
  [`${AGAIN}, servers: [web9]`, /servers\[0\]: no server is "web9"; did you mean "web1"\?/],
  [`${AGAIN}, services: [wbe]`, /services\[0\]: no service is "wbe"; did you mean "web"\?/],
  [`${AGAIN}, tags: [rack-9]`, /tags\[0\]: no tag is "rack-9"/],
  [`${AGAIN}, timezone: Europe/Berlni, services: [web]`, /timezone: "Europe\/Berlni" is not a time zone/],
  [
    `${AGAIN}, from: 2026-12-01T03:00:00Z, services: [web]`,
    /schedule: a window with `from` and `until` comes once/,
  ],
  ['from: 2026-12-01T03:00:00Z, services: [web]', /has both `from` and `until`/],
  [
    'from: 2026-12-01T03:00:00, until: 2026-12-02T03:00:00Z, services: [web]',
    /from: "2026-12-01T03:00:00" is not a time with its zone/,
  ],
  ['schedule: 0 3 1 * sun, duration: 2h, services: [web]', /schedule: a day of the month together with/],
  [
    'schedule: 0 3 * * sun, duration: 30d, services: [web]',
    /duration: "30d" is not a duration from 1m to 7d/,
  ],
];

t.test('what is wrong is told, once and at its place', async (t) => {
  for (const [keys, expected] of WRONG) {
    const faults = faultsOf(text(keys));
    t.equal(faults.length, 1, `${keys}: ${faults.join('; ')}`);
    t.match(faults[0], expected);
  }
});

t.test('a service with a fault does not make its windows wrong as well', async (t) => {
  const broken = text(`${AGAIN}, services: [web]`).replace('192.0.2.1:80', '192.0.2.300:80');
  const faults = faultsOf(broken);
  t.equal(faults.length, 1, faults.join('; '));
  t.match(faults[0], /services\.web\.address/);
});
