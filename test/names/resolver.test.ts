/** Lookups against resolvers that answer, lie, fail and say nothing; and against a real one. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { NAME_RULE } from '../../src/config/names.js';
import { ip } from '../../src/core/ip.js';
import { millis, seconds } from '../../src/core/units.js';
import type { Lookup, NameRule, Question, Resolver } from '../../src/names/model.js';
import { dnsLookUp, lookupOf } from '../../src/names/resolver.js';
import { systemTimers } from '../../src/sys/clock.js';
import { DnsServer, type Manner } from './dns-server.js';

const APP: Question = { host: 'app.example', family: 'ipv4', loopback: false };
const lookUp = dnsLookUp(systemTimers);

function ruleFor(resolvers: readonly Resolver[], timeout = seconds(20)): NameRule {
  return { ...NAME_RULE, resolvers, timeout };
}

function ask(rule: NameRule, question: Question = APP): Promise<Lookup> {
  return new Promise((resolve) => lookUp(question, rule, resolve));
}

const answer = (addresses: readonly string[], ttl: number): Lookup => ({
  kind: 'answer',
  addresses: addresses.map(ip),
  ttl: seconds(ttl),
});

function troubleIn(lookup: Lookup): string {
  return lookup.kind === 'failure' ? lookup.trouble : 'none';
}

t.test('a name has addresses of either family, with the shortest TTL', async (t) => {
  const server = await DnsServer.open(t);
  server.set('app.example', { A: ['192.0.2.2', '192.0.2.1'], AAAA: ['2001:db8::5'], ttl: 77 });
  const rule = ruleFor([server.resolver]);
  t.same(await ask(rule), answer(['192.0.2.2', '192.0.2.1'], 77));
  t.same(await ask(rule, { ...APP, family: 'ipv6' }), answer(['2001:db8::5'], 77));
});

t.test('a chain of CNAMEs is followed, and one in a circle is no answer', async (t) => {
  const server = await DnsServer.open(t);
  server.set('app.example', { CNAME: 'b.example', ttl: 9 });
  server.set('b.example', { CNAME: 'c.example', ttl: 50 });
  server.set('c.example', { A: ['192.0.2.3'], ttl: 60 });
  server.set('circle.example', { CNAME: 'circle.example' });
  const rule = ruleFor([server.resolver]);
  t.same(await ask(rule), answer(['192.0.2.3'], 9), 'the shortest TTL of the chain counts');
  t.not(troubleIn(await ask(rule, { ...APP, host: 'circle.example' })), 'none');
});

t.test('what is no answer is told apart', async (t) => {
  const cases: readonly (readonly [Manner, string])[] = [
    ['servfail', 'server-failure'],
    ['refused', 'refused'],
    ['silent', 'timeout'],
    ['wrong-id', 'timeout'],
    ['wrong-question', 'timeout'],
    ['from-elsewhere', 'timeout'],
    ['cut-and-deaf', 'timeout'],
  ];
  for (const [manner, trouble] of cases) {
    const server = await DnsServer.open(t);
    server.set('app.example', { A: ['192.0.2.1'] });
    server.manner = manner;
    t.equal(troubleIn(await ask(ruleFor([server.resolver], millis(600)))), trouble, manner);
    t.ok(server.asked > 0, `${manner}: it was asked`);
  }
});

t.test('bytes that are no message are no answer', async (t) => {
  const server = await DnsServer.open(t);
  server.manner = 'garbage';
  t.match(troubleIn(await ask(ruleFor([server.resolver], millis(600)))), /^(malformed|timeout)$/);
});

t.test('no such name, and a name without an address of that family', async (t) => {
  const server = await DnsServer.open(t);
  server.set('app.example', { AAAA: ['2001:db8::5'] });
  const rule = ruleFor([server.resolver]);
  t.equal(troubleIn(await ask(rule)), 'no-address');
  t.equal(troubleIn(await ask(rule, { ...APP, host: 'gone.example' })), 'no-such-name');
});

t.test('nobody at the port of the resolver is trouble of ours', async (t) => {
  const trouble = troubleIn(await ask(ruleFor([{ address: ip('127.0.0.1'), port: 1 }], millis(800))));
  t.match(trouble, /^(unreachable|timeout)$/);
});

t.test('the second resolver is asked where the first fails', async (t) => {
  const [first, second] = [await DnsServer.open(t), await DnsServer.open(t)];
  first.manner = 'servfail';
  second.set('app.example', { A: ['192.0.2.1'], ttl: 30 });
  t.same(await ask(ruleFor([first.resolver, second.resolver])), answer(['192.0.2.1'], 30));
  t.ok(first.asked > 0, 'the first was asked');
});

t.test('an answer that was cut is asked for again over TCP', async (t) => {
  const server = await DnsServer.open(t);
  const many = Array.from({ length: 100 }, (_, index) => `192.0.2.${index + 1}`);
  server.set('app.example', { A: many, ttl: 30 });
  server.manner = 'cut';
  t.same(await ask(ruleFor([server.resolver])), answer(many, 30));
  t.ok(server.askedByTcp > 0, 'it came over TCP');
});

t.test('who gives up hears nothing more', async (t) => {
  const server = await DnsServer.open(t);
  server.manner = 'silent';
  let heard = 0;
  const running = lookUp(APP, ruleFor([server.resolver], millis(50)), () => {
    heard += 1;
  });
  running.cancel();
  running.cancel();
  await ask(ruleFor([server.resolver], millis(200)));
  t.equal(heard, 0);
});

t.test('a host that no resolver takes is a failure, not an exception', async (t) => {
  const lookup = await ask(ruleFor([{ address: ip('127.0.0.1'), port: 1 }], millis(800)), {
    ...APP,
    host: `${'x'.repeat(80)}.example`,
  });
  t.equal(lookup.kind, 'failure');
});

t.test('addresses that no server can have are left out, and told where no others are there', (t) => {
  const records = (...addresses: string[]) => addresses.map((address) => ({ address, ttl: 5 }));
  const cases: readonly string[] = [
    '0.0.0.0',
    '0.1.2.3',
    '224.0.0.1',
    '255.255.255.255',
    '127.0.0.1',
    '127.9.9.9',
    '2001:db8::1',
    'nonsense',
  ];
  for (const text of cases) {
    t.same(lookupOf(APP, records(text, '192.0.2.1')), answer(['192.0.2.1'], 5), text);
    t.equal(troubleIn(lookupOf(APP, records(text))), 'unusable', `${text} alone`);
  }
  const six: Question = { ...APP, family: 'ipv6' };
  for (const text of ['::', '::1', 'ff02::1', 'fe80::1', '::ffff:192.0.2.1', '192.0.2.1'])
    t.equal(troubleIn(lookupOf(six, records(text))), 'unusable', text);
  t.equal(troubleIn(lookupOf(APP, [])), 'no-address');
  t.same(lookupOf({ ...APP, loopback: true }, records('127.0.0.2')), answer(['127.0.0.2'], 5), 'a trial');
  t.same(lookupOf(APP, records('192.0.2.1', '192.0.2.1')), answer(['192.0.2.1'], 5), 'once');
  t.end();
});

t.test('an absurd number of addresses is bounded, and an absurd TTL is none', (t) => {
  const absurd = Array.from({ length: 60_000 }, (_, index) => ({
    address: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
    ttl: 2 ** 32 - 1,
  }));
  const lookup = lookupOf(APP, absurd);
  t.ok(lookup.kind === 'answer' && lookup.addresses.length === 512 && lookup.ttl === 0);
  t.end();
});

const DNSMASQ = ['/usr/sbin/dnsmasq', '/sbin/dnsmasq'].find((path) => existsSync(path));

async function dnsmasq(t: Test, program: string, names: readonly string[]): Promise<Resolver> {
  const free = await DnsServer.open(t, ip('127.0.0.3'));
  // Its number is free at another address of loopback.
  const resolver = { address: ip('127.0.0.4'), port: free.resolver.port };
  const child = spawn(
    program,
    [
      '--no-daemon',
      '--conf-file=/dev/null',
      '--no-resolv',
      '--no-hosts',
      '--bind-interfaces',
      `--listen-address=${resolver.address}`,
      `--port=${resolver.port}`,
      ...(process.getuid?.() === 0 ? ['--user=root'] : []),
      ...names,
    ],
    { stdio: 'ignore' },
  );
  t.teardown(() => child.kill());
  return resolver;
}

t.test('dnsmasq', { skip: DNSMASQ === undefined && 'dnsmasq is not installed' }, async (t) => {
  const many = Array.from(
    { length: 120 },
    (_, index) => `--host-record=many.example,192.0.2.${index + 1},40`,
  );
  const resolver = await dnsmasq(t, DNSMASQ ?? '', [
    '--host-record=app.example,192.0.2.80,2001:db8::80,40',
    '--cname=alias.example,app.example,11',
    ...many,
  ]);
  const rule = ruleFor([resolver], seconds(2));
  let first = await ask(rule);
  // It takes a moment until it listens.
  for (let tries = 0; first.kind === 'failure' && tries < 200; tries += 1) {
    await pause(50);
    first = await ask(rule);
  }
  t.same(first, answer(['192.0.2.80'], 40));
  t.same(await ask(rule, { ...APP, family: 'ipv6' }), answer(['2001:db8::80'], 40));
  t.same(await ask(rule, { ...APP, host: 'alias.example' }), answer(['192.0.2.80'], 11));
  const lookup = await ask(rule, { ...APP, host: 'many.example' });
  t.equal(lookup.kind === 'answer' && lookup.addresses.length, 120, 'more than a datagram of old takes');
  t.equal(troubleIn(await ask(rule, { ...APP, host: 'unknown.example' })), 'refused');
});
