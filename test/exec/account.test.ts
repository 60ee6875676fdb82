import fc from 'fast-check';
import t from 'tap';
import { type AccountResult, findAccount } from '../../src/exec/account.js';

const PASSWD = [
  'root:x:0:0:root:/root:/bin/bash',
  '# a comment',
  'daemon:x:1:2:daemon:/usr/sbin:/usr/sbin/nologin',
  'broken:x:here:there:',
  'short',
  'huge:x:4294967295:4294967295::/:',
  '',
].join('\n');
const GROUP = ['root:x:0:', 'adm:x:4:syslog', 'odd:x:-4:', ''].join('\n');

const as = (uid: number, gid: number): AccountResult => ({ ok: true, account: { uid, gid } });
const no = (problem: string): AccountResult => ({
  ok: false,
  problem: `there is no ${problem} on this machine`,
});

const ROWS: readonly (readonly [string, AccountResult])[] = [
  ['root', as(0, 0)],
  ['daemon', as(1, 2)],
  ['daemon:adm', as(1, 4)],
  ['daemon:77', as(1, 77)],
  ['1', as(1, 2)],
  ['1:adm', as(1, 4)],
  ['5000', as(5000, 5000)],
  ['5000:0', as(5000, 0)],
  ['4294967294', as(4_294_967_294, 4_294_967_294)],
  ['nobody', no('user nobody')],
  ['daemon:nobody', no('group nobody')],
  ['daemon:odd', no('group odd')],
  ['broken', no('user broken')],
  ['short', no('user short')],
  ['huge', no('user huge')],
  ['4294967295', no('user 4294967295')],
  ['-1', no('user -1')],
  ['', no('user ')],
  [':adm', no('user ')],
  ['daemon:', no('group ')],
];

t.test('a user is found by name or number, and never guessed', async (t) => {
  for (const [given, expected] of ROWS) t.same(findAccount(given, PASSWD, GROUP), expected, `"${given}"`);
});

t.test('law: nobody becomes root by accident', async (t) => {
  const text = fc.string({ unit: fc.constantFrom('a', ':', '0', '1', '\n', '-', ' '), maxLength: 12 });
  fc.assert(
    fc.property(text, text, text, (given, passwd, group) => {
      const found = findAccount(given, passwd, group);
      if (!found.ok || found.account.uid !== 0) return true;
      const [user = ''] = given.split(':');
      return /^0+$/.test(user) || passwd.split('\n').some((line) => line.startsWith(`${user}:`));
    }),
  );
  t.pass('held');
});
