import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { ftpProber } from '../../src/checks/ftp.js';
import type { FtpCheck } from '../../src/checks/model.js';
import type { Target } from '../../src/checks/spec-target.js';
import { ip } from '../../src/core/ip.js';
import { systemClock } from '../../src/sys/clock.js';
import { REPLY_LIMIT } from '../../src/wire/replies.js';
import { FtpServer, type Manners, sendFile } from './ftp-server.js';
import {
  closedPort,
  dribble,
  eventually,
  flood,
  listen,
  probeOnce,
  resetHard,
  silentTarget,
} from './listeners.js';
import { tlsClient } from './secure.js';

const ftp = ftpProber(systemClock.monotonic, tlsClient);

function check(target: Target, more: Partial<FtpCheck> = {}): FtpCheck {
  return {
    type: 'ftp',
    target,
    user: 'probe',
    password: 'secret',
    file: undefined,
    fileBy: 'size',
    tls: undefined,
    ...more,
  };
}

const BY_SIZE = { file: '/pub/alive' } as const;
const BY_READING = { file: '/pub/alive', fileBy: 'retrieve' } as const;

t.test('a login, a file by its size, a file by reading it: what is said, in order', async (t) => {
  const rows: readonly (readonly [string, Partial<FtpCheck>, readonly string[], readonly string[]])[] = [
    ['login', {}, ['USER probe', 'PASS secret', 'QUIT'], ['connect', 'greeting', 'login', 'quit']],
    [
      'size',
      BY_SIZE,
      ['USER probe', 'PASS secret', 'TYPE I', 'SIZE /pub/alive', 'QUIT'],
      ['connect', 'greeting', 'login', 'request', 'quit'],
    ],
    [
      'retrieve',
      BY_READING,
      ['USER probe', 'PASS secret', 'TYPE I', 'PASV', 'RETR /pub/alive', 'QUIT'],
      ['connect', 'greeting', 'login', 'request', 'data', 'quit'],
    ],
  ];
  for (const [name, more, commands, phases] of rows) {
    const server = await FtpServer.open(t);
    const result = await probeOnce(t, ftp, check(server.control.target, more), {
      listeners: server.listeners,
    });
    t.match(result, { outcome: 'pass', reason: { kind: 'ok' } }, name);
    t.same(server.commands, commands, name);
    t.same(
      result.phases.map(([phase]) => phase),
      phases,
      name,
    );
    t.ok(
      await eventually(() => server.control.sockets === 1 && server.data.sockets === 1),
      `${name}: all closed`,
    );
  }
});

t.test('over IPv6 the file comes by EPSV', async (t) => {
  const server = await FtpServer.open(t, {}, ip('::1'));
  const spec = check(server.control.target, BY_READING);
  t.equal((await probeOnce(t, ftp, spec, { listeners: server.listeners })).outcome, 'pass');
  t.same(server.commands.slice(3), ['EPSV', 'RETR /pub/alive', 'QUIT']);
});

t.test('the address that a server names is not the one that is connected to', async (t) => {
  for (const namedAddress of ['192.0.2.77', '0.0.0.0', '127.0.0.2']) {
    const trap = await listen(t, () => t.fail('the probe was sent elsewhere'), ip('127.0.0.2'));
    const server = await FtpServer.open(t, { namedAddress });
    const spec = check(server.control.target, BY_READING);
    const listeners = [trap, ...server.listeners];
    t.equal((await probeOnce(t, ftp, spec, { listeners })).outcome, 'pass', namedAddress);
    t.equal(server.dataConnections, 1);
  }
});

interface Row {
  readonly name: string;
  readonly manners: Manners;
  readonly more?: Partial<FtpCheck>;
  readonly reason: object;
}

const OK = { kind: 'ok' } as const;
const ROWS: readonly Row[] = [
  {
    name: 'a greeting of many lines',
    manners: { greeting: '220-Welcome\r\n230 not yet\r\n220-to\r\n this\r\n220 ready' },
    reason: OK,
  },
  {
    name: 'a greeting byte by byte',
    manners: { greeting: (s) => dribble(s, '220-Welcome\r\n220 ready\r\n') },
    reason: OK,
  },
  {
    name: 'not ready for some minutes, then ready',
    manners: { greeting: '120 in a minute\r\n220 ready' },
    reason: OK,
  },
  { name: 'a user without a password', manners: { replies: { USER: '230 welcome' } }, reason: OK },
  { name: 'a password that was not needed', manners: { replies: { PASS: '202 superfluous' } }, reason: OK },
  {
    name: 'data before the reply that announces it',
    manners: { data: (d, c) => d.end('alive\n', () => c.write('150 here\r\n226 done\r\n')) },
    more: BY_READING,
    reason: OK,
  },
  {
    name: 'done before the data has come',
    manners: { data: (d, c) => c.write('125 here\r\n226 done\r\n', () => d.end('alive\n')) },
    more: BY_READING,
    reason: OK,
  },
  {
    name: 'an empty file',
    manners: {
      data: (d, c) => {
        c.write('150 here\r\n250 done\r\n');
        d.end();
      },
    },
    more: BY_READING,
    reason: OK,
  },

  {
    name: 'too many users',
    manners: { greeting: '421 come back later' },
    reason: { kind: 'rejected', phase: 'greeting', code: 421, detail: 'come back later' },
  },
  {
    name: 'a greeting of the wrong kind',
    manners: { greeting: '230 you are in already' },
    reason: { kind: 'protocol-error', phase: 'greeting', detail: 'unexpected reply 230 you are in already' },
  },
  {
    name: 'another protocol',
    manners: { greeting: 'SSH-2.0-OpenSSH_9.2p1' },
    reason: { kind: 'protocol-error', phase: 'greeting', detail: 'not an FTP reply' },
  },
  {
    name: 'NULs',
    manners: { greeting: '\0\0\0\0' },
    reason: { kind: 'protocol-error', phase: 'greeting', detail: 'not an FTP reply' },
  },
  {
    name: 'an endless greeting of many lines',
    manners: { greeting: (s) => flood(s, '220-Welcome\r\n'.repeat(1000)) },
    reason: { kind: 'too-long', phase: 'greeting', limit: REPLY_LIMIT },
  },
  {
    name: 'an endless line',
    manners: { greeting: (s) => flood(s, 'x'.repeat(10_000)) },
    reason: { kind: 'too-long', phase: 'greeting', limit: REPLY_LIMIT },
  },
  {
    name: 'closed without a word',
    manners: { greeting: (s) => s.end() },
    reason: { kind: 'closed', phase: 'greeting' },
  },
  {
    name: 'closed in the greeting',
    manners: { greeting: (s) => s.end('220-Wel') },
    reason: { kind: 'closed', phase: 'greeting' },
  },
  {
    name: 'a wrong password',
    manners: { replies: { PASS: '530 Login \x07incorrect.' } },
    reason: { kind: 'rejected', phase: 'login', code: 530, detail: 'Login ?incorrect.' },
  },
  {
    name: 'a user that is not wanted',
    manners: { replies: { USER: '530 no' } },
    reason: { kind: 'rejected', phase: 'login', code: 530, detail: 'no' },
  },
  {
    name: 'an account that is wanted',
    manners: { replies: { PASS: '332 account?' } },
    reason: { kind: 'protocol-error', phase: 'login', detail: 'unexpected reply 332 account?' },
  },
  {
    name: 'a reply too many',
    manners: { replies: { USER: '331 password\r\n331 password' } },
    reason: { kind: 'protocol-error', phase: 'login', detail: 'unexpected reply 331 password' },
  },
  {
    name: 'closed at the login',
    manners: { replies: { PASS: (s) => s.end() } },
    reason: { kind: 'closed', phase: 'login' },
  },
  {
    name: 'reset at the login',
    manners: { replies: { PASS: (s) => resetHard(s) } },
    reason: { kind: 'reset', phase: 'login' },
  },
  {
    name: 'no file of that name',
    manners: { replies: { SIZE: '550 no such file' } },
    more: BY_SIZE,
    reason: { kind: 'rejected', phase: 'request', code: 550, detail: 'no such file' },
  },
  {
    name: 'no passive mode',
    manners: { replies: { PASV: '502 no' } },
    more: BY_READING,
    reason: { kind: 'rejected', phase: 'request', code: 502, detail: 'no' },
  },
  {
    name: 'a passive reply without a port',
    manners: { replies: { PASV: '227 Entering Passive Mode' } },
    more: BY_READING,
    reason: { kind: 'protocol-error', phase: 'request', detail: 'no port in Entering Passive Mode' },
  },
  {
    name: 'port 0',
    manners: { replies: { PASV: '227 (127,0,0,1,0,0)' } },
    more: BY_READING,
    reason: { kind: 'protocol-error', phase: 'request', detail: 'no port in (127,0,0,1,0,0)' },
  },
  {
    name: 'a refused file after the data connection',
    manners: { replies: { RETR: '550 no such file' } },
    more: BY_READING,
    reason: { kind: 'rejected', phase: 'data', code: 550, detail: 'no such file' },
  },
  {
    name: 'a transfer that breaks off',
    manners: {
      data: (d, c) => {
        c.write('150 here\r\n');
        d.end('ali', () => c.write('426 broken off\r\n'));
      },
    },
    more: BY_READING,
    reason: { kind: 'rejected', phase: 'data', code: 426, detail: 'broken off' },
  },
  {
    name: 'a reset of the data',
    manners: {
      data: async (d, c) => {
        c.write('150 here\r\n');
        for (let n = 0; n < 5; n += 1) await turn();
        resetHard(d);
      },
    },
    more: BY_READING,
    reason: { kind: 'reset', phase: 'data' },
  },
  {
    name: 'an end of the dialogue during the data',
    manners: { data: (_, c) => c.end('150 here\r\n') },
    more: BY_READING,
    reason: { kind: 'closed', phase: 'data' },
  },
  {
    name: 'a file without end',
    manners: {
      data: (d, c) => {
        c.write('150 here\r\n');
        flood(d, 'x'.repeat(60_000));
      },
    },
    more: BY_READING,
    reason: { kind: 'too-long', phase: 'data', limit: 1024 * 1024 },
  },
  {
    name: 'no goodbye',
    manners: { replies: { QUIT: (s) => s.end() } },
    reason: { kind: 'closed', phase: 'quit' },
  },
  {
    name: 'a goodbye of the wrong kind',
    manners: { replies: { QUIT: '500 no' } },
    reason: { kind: 'rejected', phase: 'quit', code: 500, detail: 'no' },
  },
];

t.test('each dialogue has its reason', async (t) => {
  for (const { name, manners, more, reason } of ROWS) {
    const server = await FtpServer.open(t, manners);
    const spec = check(server.control.target, more);
    const result = await probeOnce(t, ftp, spec, { listeners: server.listeners });
    t.same(result.reason, reason, name);
    t.equal(result.outcome, reason === OK ? 'pass' : 'fail', `${name}: outcome`);
    for (const listener of server.listeners) await listener.close();
  }
});

t.test('silence at any point ends with the deadline, in its phase', async (t) => {
  const nothing = (): undefined => undefined;
  const rows: readonly (readonly [string, Manners, string])[] = [
    ['no greeting', { greeting: nothing }, 'greeting'],
    ['half a greeting', { greeting: '220-Welcome' }, 'greeting'],
    ['not ready yet', { greeting: '120 in a minute' }, 'greeting'],
    ['no word to the user', { replies: { USER: nothing } }, 'login'],
    ['no word to the password', { replies: { PASS: nothing } }, 'login'],
    ['no word to TYPE', { replies: { TYPE: nothing } }, 'request'],
    ['no word to PASV', { replies: { PASV: nothing } }, 'request'],
    ['no word to RETR', { replies: { RETR: nothing } }, 'data'],
    ['no data', { data: (_, c) => c.write('150 here\r\n') }, 'data'],
    ['half the data', { data: (d, c) => c.write('150 here\r\n', () => d.write('ali')) }, 'data'],
    ['data, but never done', { data: (d, c) => c.write('150 here\r\n', () => d.end('alive')) }, 'data'],
    ['no goodbye', { replies: { QUIT: nothing } }, 'quit'],
  ];
  for (const [name, manners, phase] of rows) {
    const server = await FtpServer.open(t, manners);
    const spec = check(server.control.target, BY_READING);
    const result = await probeOnce(t, ftp, spec, { deadline: 250, listeners: server.listeners });
    t.match(result, { outcome: 'fail', reason: { kind: 'timeout', phase } }, name);
    for (const listener of server.listeners) await listener.close();
  }
});

t.test('a data connection that nobody accepts is refused, and the dialogue ends with it', async (t) => {
  const { port } = await closedPort(t);
  const server = await FtpServer.open(t, { replies: { PASV: `227 (127,0,0,1,${port >> 8},${port & 255})` } });
  const spec = check(server.control.target, BY_READING);
  const result = await probeOnce(t, ftp, spec, { listeners: server.listeners });
  t.match(result, { outcome: 'fail', reason: { kind: 'refused', phase: 'data' } });
  t.ok(await eventually(() => server.control.sockets === 1), 'the control connection is closed too');
});

t.test('a data connection that never opens is a timeout, and nothing of it stays', async (t) => {
  const { port } = await silentTarget(t);
  const server = await FtpServer.open(t, { replies: { PASV: `227 (127,0,0,1,${port >> 8},${port & 255})` } });
  const spec = check(server.control.target, BY_READING);
  const result = await probeOnce(t, ftp, spec, { deadline: 200, listeners: server.listeners });
  t.match(result, { outcome: 'fail', reason: { kind: 'timeout', phase: 'data' } });
});

t.test(
  'the end of the data and its bad news in one turn: the half-closed connection is freed too',
  async (t) => {
    for (let count = 0; count < 20; count += 1) {
      const data: Manners['data'] = (d, c) => {
        c.write('150 here\r\n');
        d.end('ali');
        c.write('426 broken off\r\n');
      };
      const server = await FtpServer.open(t, { data });
      const spec = check(server.control.target, BY_READING);
      const result = await probeOnce(t, ftp, spec, { listeners: server.listeners });
      t.match(result.reason, { kind: 'rejected', phase: 'data', code: 426 });
      for (const listener of server.listeners) await listener.close();
    }
  },
);

t.test('nothing of ours can add a command; nothing is sent then', async (t) => {
  const server = await FtpServer.open(t, { greeting: () => t.fail('a connection came') });
  for (const more of [{ user: 'a\r\nDELE x' }, { password: 'a\nb' }, { file: '/a\r\nb' }, { file: '/a\0' }]) {
    const spec = check(server.control.target, more);
    const result = await probeOnce(t, ftp, spec, { listeners: server.listeners });
    t.match(
      result,
      { outcome: 'unknown', reason: { kind: 'local', errno: 'MALFORMED' } },
      JSON.stringify(more),
    );
    t.notMatch(JSON.stringify(result), /secret/);
  }
  t.same(server.commands, []);
});

t.test('letters of any alphabet go out as UTF-8', async (t) => {
  const server = await FtpServer.open(t);
  const spec = check(server.control.target, { user: 'žluť', password: 'key ✓', file: '/naïve file' });
  t.equal((await probeOnce(t, ftp, spec, { listeners: server.listeners })).outcome, 'pass');
  t.same(server.commands, ['USER žluť', 'PASS key ✓', 'TYPE I', 'SIZE /naïve file', 'QUIT']);
});

t.test('fifty probes at once leave nothing behind', async (t) => {
  const server = await FtpServer.open(t, { data: sendFile });
  const login = check(server.control.target);
  const results = await Promise.all(Array.from({ length: 50 }, () => ftp(login, AbortSignal.timeout(5000))));
  t.equal(results.filter(({ outcome }) => outcome === 'pass').length, 50);
  t.ok(await eventually(() => server.control.sockets === 1));
});
