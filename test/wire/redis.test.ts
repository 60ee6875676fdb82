import fc from 'fast-check';
import t from 'tap';
import { readReplication } from '../../src/wire/redis.js';

t.test('what a server says of its replication', async (t) => {
  const rows: readonly (readonly [string, object | undefined])[] = [
    ['# Replication\r\nrole:master\r\nconnected_slaves:1\r\n', { role: 'master' }],
    [
      'role:slave\r\nmaster_link_status:up\r\nmaster_last_io_seconds_ago:7\r\n',
      { role: 'replica', linked: true, silentSeconds: 7 },
    ],
    [
      'role:slave\nmaster_link_status:down\nmaster_last_io_seconds_ago:-1\n',
      { role: 'replica', linked: false, silentSeconds: undefined },
    ],
    ['role:slave\r\n', { role: 'replica', linked: false, silentSeconds: undefined }],
    [
      'role:slave\r\nmaster_link_status:up\r\nmaster_last_io_seconds_ago:99999999999\r\n',
      { role: 'replica', linked: true, silentSeconds: undefined },
    ],
    ['role:sentinel\r\n', undefined],
    ['role\r\n:master\r\n', undefined],
    ['', undefined],
  ];
  for (const [text, found] of rows) t.same(readReplication(text), found, JSON.stringify(text));
});

t.test('law: no text makes it throw, and a master is one by its own word', async (t) => {
  const scrap = fc.constantFrom('role', ':', 'master', 'slave', '\r\n', 'master_link_status:up', '1');
  fc.assert(
    fc.property(fc.array(fc.oneof(scrap, fc.string({ maxLength: 5 })), { maxLength: 20 }), (parts) => {
      const text = parts.join('');
      const found = readReplication(text);
      return found?.role !== 'master' || text.split(/\r?\n/).includes('role:master');
    }),
    { numRuns: 2000 },
  );
  t.pass();
});
