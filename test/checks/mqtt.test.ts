/** MQTT: what it says, mosquitto, and brokers that are none. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { mqttProber } from '../../src/checks/mqtt.js';
import type { MqttCheck } from '../../src/checks/spec-mqtt.js';
import type { Target } from '../../src/checks/spec-target.js';
import { systemClock } from '../../src/sys/clock.js';
import { Authority, NO_OPENSSL } from './certificates.js';
import { closedPort, eventually, probeOnce } from './listeners.js';
import { tlsClient, tlsSettings } from './secure.js';
import { folder, missing, start } from './servers.js';
import { type Answer, goodBehaviours, misbehaviours, turnServer } from './turn-server.js';

const prober = mqttProber(systemClock.monotonic, tlsClient);
const LOGIN = { user: 'probe', password: 's3cret' };

function check(target: Target, more: Partial<MqttCheck> = {}): MqttCheck {
  const basics = { type: 'mqtt', target, level: 4, clientId: undefined, login: undefined } as const;
  return { ...basics, ping: false, tls: undefined, ...more };
}

const CONNACK: Answer = { says: '\x20\x02\x00\x00', phase: 'login' };
/** Its length in two bytes, which 3.1.1 allows, so that it can be cut in two places. */
const PINGRESP: Answer = { says: '\xd0\x80\x00', phase: 'request' };

t.test('each step in its phase, whatever the broker does', async (t) => {
  const answers = [CONNACK, PINGRESP];
  const spec = (target: Target): MqttCheck => check(target, { login: LOGIN, ping: true, clientId: 'me' });
  const server = await turnServer(t, { answers });
  const result = await probeOnce(t, prober, spec(server.target), { listeners: [server] });
  t.match(result, { outcome: 'pass', reason: { kind: 'ok' } });
  t.same(
    result.phases.map(([phase]) => phase),
    ['connect', 'login', 'request', 'quit'],
  );
  t.ok(await eventually(() => server.heard.length === 3));
  t.same(
    server.heard.map((bytes) => bytes.toString('latin1')),
    ['\x10\x1d\x00\x04MQTT\x04\xc2\xff\xff\x00\x02me\x00\x05probe\x00\x06s3cret', '\xc0\x00', '\xe0\x00'],
    'and it says goodbye',
  );
  await misbehaviours(t, { prober, spec, answers });
  await goodBehaviours(t, { prober, spec, answers });
});

t.test('each probe has a client id of its own', async (t) => {
  const server = await turnServer(t, { answers: [CONNACK] });
  for (let count = 0; count < 2; count += 1)
    await probeOnce(t, prober, check(server.target), { listeners: [server] });
  const ids = server.heard.filter((bytes) => bytes[0] === 0x10).map((bytes) => bytes.subarray(14).toString());
  t.equal(ids.length, 2);
  for (const id of ids) t.match(id, /^lvsentry[0-9a-f]{14}$/);
  t.not(ids[0], ids[1]);
});

t.test('what an answer means', async (t) => {
  const ping = { ping: true };
  const v5 = { level: 5 } as const;
  const rows: readonly (readonly [string, Partial<MqttCheck>, readonly string[], object])[] = [
    ['taken', {}, ['\x20\x02\x00\x00'], { kind: 'ok' }],
    ['more than an answer', {}, ['\x20\x02\x00\x00GARBAGE'], { kind: 'ok' }],
    [
      'bad password',
      {},
      ['\x20\x02\x00\x04'],
      { kind: 'rejected', phase: 'login', code: 4, detail: 'bad user name or password' },
    ],
    ['a code that nobody knows', {}, ['\x20\x02\x00\x63'], { kind: 'rejected', code: 99, detail: '' }],
    [
      'a session from before',
      {},
      ['\x20\x02\x01\x00'],
      { kind: 'protocol-error', detail: 'a broken CONNACK' },
    ],
    ['version 5, taken', v5, ['\x20\x06\x00\x00\x03\x21\x00\x14'], { kind: 'ok' }],
    [
      'version 5, not taken',
      v5,
      ['\x20\x03\x00\x87\x00'],
      { kind: 'rejected', code: 0x87, detail: 'not authorized' },
    ],
    [
      'version 5 of a broker that has none',
      v5,
      ['\x20\x02\x00\x01'],
      { kind: 'rejected', code: 1, detail: 'unacceptable protocol version' },
    ],
    ['the answer of version 5 in 3.1.1', {}, ['\x20\x03\x00\x00\x00'], { kind: 'protocol-error' }],
    ['PINGRESP for CONNACK', {}, ['\xd0\x00'], { kind: 'protocol-error', phase: 'login', detail: /type 13/ }],
    [
      'CONNACK for PINGRESP',
      ping,
      ['\x20\x02\x00\x00', '\x20\x02\x00\x00'],
      { kind: 'protocol-error', phase: 'request' },
    ],
    ['a PINGRESP with a body', ping, ['\x20\x02\x00\x00', '\xd0\x01x'], { kind: 'protocol-error' }],
    [
      'thrown out',
      { ...v5, ping: true },
      ['\x20\x03\x00\x00\x00', '\xe0\x02\x8b\x00'],
      { kind: 'rejected', phase: 'request', code: 0x8b, detail: 'server shutting down' },
    ],
    ['HTTP', {}, ['HTTP/1.1 400 Bad Request\r\n\r\n'], { kind: 'protocol-error', detail: 'not MQTT' }],
    ['a packet that is too long', {}, ['\x20\xff\xff\x7f'], { kind: 'too-long', phase: 'login' }],
  ];
  for (const [name, more, says, reason] of rows) {
    const answers = says.map((text): Answer => ({ says: text, phase: 'login' }));
    const server = await turnServer(t, { answers });
    const result = await probeOnce(t, prober, check(server.target, more), { listeners: [server] });
    t.match(result.reason, reason, name);
    await server.close();
  }
  t.match((await probeOnce(t, prober, check(await closedPort(t)))).reason, { kind: 'refused' });
});

const NO_MOSQUITTO = missing('mosquitto') || NO_OPENSSL;

t.test('mosquitto', { skip: NO_MOSQUITTO }, async (t) => {
  const [open, closed, secure] = [await closedPort(t), await closedPort(t), await closedPort(t)];
  const dir = folder(t, {});
  const authority = new Authority(t, 'mqtt');
  const server = authority.issue('DNS:broker.example');
  writeFileSync(join(dir, 'key.pem'), server.key, { mode: 0o644 });
  writeFileSync(join(dir, 'cert.pem'), server.cert);
  execFileSync('mosquitto_passwd', ['-c', '-b', join(dir, 'users'), LOGIN.user, LOGIN.password]);
  execFileSync('chmod', ['644', join(dir, 'users')]);
  execFileSync('chmod', ['777', dir]);
  const listener = ({ address, port }: Target, ...more: readonly string[]): string =>
    [`listener ${port} ${address}`, ...more].join('\n');
  writeFileSync(
    join(dir, 'conf'),
    [
      'per_listener_settings true',
      `log_dest file ${join(dir, 'log')}`,
      listener(open, 'allow_anonymous true'),
      listener(closed, 'allow_anonymous false', `password_file ${join(dir, 'users')}`),
      listener(
        secure,
        'allow_anonymous true',
        `certfile ${join(dir, 'cert.pem')}`,
        `keyfile ${join(dir, 'key.pem')}`,
      ),
      '',
    ].join('\n'),
  );
  await start(t, [open, secure], ['mosquitto', '-c', join(dir, 'conf')]);
  const tls = {
    start: 'implicit',
    ...tlsSettings({ serverName: 'broker.example', authorities: authority.cert }),
  } as const;
  const rows: readonly (readonly [string, Target, Partial<MqttCheck>, object])[] = [
    ['anybody', open, {}, { kind: 'ok' }],
    ['a ping', open, { ping: true, clientId: 'pinger' }, { kind: 'ok' }],
    ['version 5', open, { level: 5, ping: true }, { kind: 'ok' }],
    ['a login', closed, { login: LOGIN, ping: true }, { kind: 'ok' }],
    ['a login in version 5', closed, { login: LOGIN, level: 5 }, { kind: 'ok' }],
    ['nobody', closed, {}, { kind: 'rejected', phase: 'login', code: 5, detail: 'not authorized' }],
    ['a wrong password', closed, { login: { ...LOGIN, password: 'x' } }, { kind: 'rejected', code: 5 }],
    [
      'the same in version 5',
      closed,
      { level: 5 },
      { kind: 'rejected', code: 0x87, detail: 'not authorized' },
    ],
    ['TLS', secure, { tls, ping: true }, { kind: 'ok' }],
    [
      'TLS for another name',
      secure,
      { tls: { ...tls, serverName: 'other.example' } },
      { kind: 'tls', problem: 'wrong-name' },
    ],
    ['no TLS where there should be', secure, {}, { kind: /^(closed|protocol-error|reset)$/ }],
  ];
  for (const [name, target, more, reason] of rows)
    t.match((await probeOnce(t, prober, check(target, more))).reason, reason, name);
  const log = (): string => readFileSync(join(dir, 'log'), 'utf8');
  t.ok(
    await eventually(() => /Client pinger disconnected\./.test(log())),
    'the broker has heard the goodbye: nothing broke',
  );
});
