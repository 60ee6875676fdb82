/** RADIUS: FreeRADIUS, and servers that are none. */
import { createHash, createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { radiusProber } from '../../src/checks/radius.js';
import type { RadiusCheck } from '../../src/checks/spec-radius.js';
import type { Target } from '../../src/checks/spec-target.js';
import { systemClock } from '../../src/sys/clock.js';
import { datagramServer } from './datagram-server.js';
import { closedPort, probeOnce } from './listeners.js';
import { folder, missing, start } from './servers.js';

const prober = radiusProber(systemClock.monotonic);
const LOGIN = { user: 'probe', password: 'letmein' };

function check(target: Target, more: Partial<RadiusCheck> = {}): RadiusCheck {
  return { type: 'radius', target, secret: 's3cret', login: LOGIN, rejectPasses: false, ...more };
}

/** What a server answers to a request. */
function reply(
  request: Buffer,
  code: number,
  attributes: Buffer = Buffer.alloc(0),
  secret = 's3cret',
): Buffer {
  const head = Buffer.from([code, request[1] ?? 0, 0, 20 + attributes.length]);
  const packet = Buffer.concat([head, request.subarray(4, 20), attributes]);
  createHash('md5').update(packet).update(secret).digest().copy(packet, 4);
  return packet;
}

async function ask(
  t: Test,
  answer: (request: Buffer) => readonly Buffer[],
  more: Partial<RadiusCheck> = {},
  deadline = 5000,
) {
  const server = await datagramServer(t, answer);
  return probeOnce(t, prober, check(server.target, more), { deadline });
}

const status = { login: undefined };
const lenient = { rejectPasses: true };
const WORDS = Buffer.from('\x12\x0bgo away \x07', 'latin1');

t.test('what a reply means', async (t) => {
  const rows: readonly (readonly [string, number, Partial<RadiusCheck>, object])[] = [
    ['Access-Accept', 2, {}, { kind: 'ok' }],
    ['Access-Reject', 3, {}, { kind: 'rejected', code: 3, detail: 'Access-Reject: go away ?' }],
    ['Access-Challenge', 11, {}, { kind: 'rejected', code: 11, detail: 'Access-Challenge: go away ?' }],
    ['Access-Reject of a server that shall only live', 3, lenient, { kind: 'ok' }],
    ['Access-Challenge of such a one', 11, lenient, { kind: 'ok' }],
    ['an accounting server', 5, status, { kind: 'ok' }],
    ['an accounting server asked for access', 5, {}, { kind: 'protocol-error', detail: /of code 5/ }],
    ['another code', 99, lenient, { kind: 'protocol-error', phase: 'response', detail: /of code 99/ }],
    ['Status-Server accepted', 2, status, { kind: 'ok' }],
  ];
  for (const [name, code, more, reason] of rows)
    t.match((await ask(t, (request) => [reply(request, code, WORDS)], more)).reason, reason, name);
  t.match((await ask(t, (request) => [reply(request, 3)])).reason, { detail: 'Access-Reject' });
});

t.test('what is asked', async (t) => {
  const server = await datagramServer(t, (request) => [reply(request, 2)]);
  const result = await probeOnce(t, prober, check(server.target));
  t.same(
    result.phases.map(([phase]) => phase),
    ['connect', 'request', 'response'],
  );
  await probeOnce(t, prober, check(server.target, status));
  const [access, state] = server.heard;
  t.equal(access?.[0], 1);
  t.equal(access?.includes('letmein'), false, 'nobody on the way reads the password');
  t.equal(state?.[0], 12);
  t.equal(state?.length, 38, 'nothing but its signature');
  t.notSame(access?.subarray(1, 20), state?.subarray(1, 20), 'chance of its own');
  for (const packet of [access, state]) {
    const unsigned = Buffer.from(packet ?? '').fill(0, 22, 38);
    const signature = createHmac('md5', 's3cret').update(unsigned).digest('hex');
    t.equal(packet?.subarray(22, 38).toString('hex'), signature);
  }
});

t.test('servers that are none', async (t) => {
  const rows: readonly (readonly [string, (request: Buffer) => readonly Buffer[], object, number?])[] = [
    ['silence', () => [], { kind: 'timeout', phase: 'response' }, 100],
    ['an empty datagram', () => [Buffer.alloc(0)], { kind: 'protocol-error', detail: /of 0 bytes/ }],
    ['NULs', () => [Buffer.alloc(500)], { kind: 'protocol-error', detail: /no RADIUS packet/ }],
    ['garbage', () => [Buffer.alloc(1400, 0xfe)], { kind: 'protocol-error' }],
    ['an echo', (request) => [request], { kind: 'protocol-error', detail: /not signed with our secret/ }],
    [
      'another secret',
      (request) => [reply(request, 2, undefined, 'other')],
      { kind: 'protocol-error', detail: /^not signed with our secret: message of 20 bytes: 02/ },
    ],
    [
      'replies to others, then ours',
      (request) => {
        const other = Buffer.from(request);
        other.writeUInt8(((other[1] ?? 0) + 1) % 256, 1);
        return [reply(other, 3), reply(request, 2)];
      },
      { kind: 'ok' },
    ],
  ];
  for (const [name, answer, reason, deadline] of rows)
    t.match((await ask(t, answer, {}, deadline)).reason, reason, name);
  t.match((await probeOnce(t, prober, check(await closedPort(t)))).reason, { kind: 'refused' });
});

const CONFIG = (dir: string, port: number): string => `
libdir = /usr/lib/freeradius
logdir = ${dir}
run_dir = ${dir}
pidfile = ${dir}/pid
security {
  reject_delay = 0
  status_server = yes
}
client here {
  ipaddr = 127.0.0.1
  proto = *
  secret = "s3cret"
  require_message_authenticator = yes
}
modules {
  pap {
  }
  files {
    usersfile = ${dir}/users
  }
}
server default {
  listen {
    type = auth
    ipaddr = 127.0.0.1
    port = ${port}
  }
  # For the test, which sees by it that the server is there.
  listen {
    type = auth
    ipaddr = 127.0.0.1
    port = ${port}
    proto = tcp
  }
  authorize {
    files
    pap
  }
  authenticate {
    Auth-Type PAP {
      pap
    }
  }
}
`;

const USERS = `probe Cleartext-Password := "letmein"

"ünïcode" Cleartext-Password := "a password of more than sixteen bytes, and ü"

blocked Auth-Type := Reject
  Reply-Message := "not today"
`;

t.test('FreeRADIUS', { skip: missing('freeradius') }, async (t) => {
  const target = await closedPort(t);
  const dir = folder(t, { users: USERS });
  writeFileSync(join(dir, 'radiusd.conf'), CONFIG(dir, target.port));
  await start(t, target, ['freeradius', '-X', '-d', dir, '-D', '/usr/share/freeradius']);
  const long = { user: 'ünïcode', password: 'a password of more than sixteen bytes, and ü' };
  const rows: readonly (readonly [string, Partial<RadiusCheck>, object, number?])[] = [
    ['a login', {}, { kind: 'ok' }],
    ['a long password', { login: long }, { kind: 'ok' }],
    ['a wrong password', { login: { ...LOGIN, password: 'x' } }, { kind: 'rejected', code: 3 }],
    [
      'a user who may not',
      { login: { ...LOGIN, user: 'blocked' } },
      { kind: 'rejected', phase: 'response', code: 3, detail: 'Access-Reject: not today' },
    ],
    ['who need not', { login: { ...LOGIN, user: 'blocked' }, ...lenient }, { kind: 'ok' }],
    ['Status-Server', status, { kind: 'ok' }],
    ['another secret: it says nothing', { secret: 'other' }, { kind: 'timeout', phase: 'response' }, 300],
    ['so too Status-Server', { secret: 'other', ...status }, { kind: 'timeout' }, 300],
  ];
  for (const [name, more, reason, deadline] of rows)
    t.match(
      (await probeOnce(t, prober, check(target, more), { deadline: deadline ?? 5000 })).reason,
      reason,
      name,
    );
});
