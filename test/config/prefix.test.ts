import fc from 'fast-check';
import t from 'tap';
import { parseNetwork, parsePrefix } from '../../src/config/prefix.js';
import { ip, ipBytes, ipFromBytes } from '../../src/core/ip.js';

t.test('an address with its prefix length', async (t) => {
  t.same(parsePrefix('192.0.2.1/24'), { ok: true, value: { address: '192.0.2.1', length: 24 } });
  t.same(parsePrefix('2001:db8::1/128'), { ok: true, value: { address: '2001:db8::1', length: 128 } });
  const rows = [
    ['192.0.2.1', '"192.0.2.1" is not an address with its prefix length; write for example 192.0.2.1/24'],
    [
      '2001:db8::1',
      '"2001:db8::1" is not an address with its prefix length; write for example 2001:db8::1/64',
    ],
    ['192.0.2.1/33', '/33 is more than /32'],
    ['2001:db8::1/129', '/129 is more than /128'],
    ['vip/24', '"vip" is not an address'],
    ['vip', '"vip" is not an address with its prefix length'],
    ['192.0.2.1/', '"192.0.2.1/" is not an address with its prefix length'],
    ['192.0.2.1/24/7', '"192.0.2.1/24/7" is not an address with its prefix length'],
  ] as const;
  for (const [text, problem] of rows) t.same(parsePrefix(text), { ok: false, problem }, text);
});

t.test('a network has no bits behind its prefix', async (t) => {
  for (const text of ['0.0.0.0/0', '10.0.0.0/8', '192.0.2.1/32', '192.0.2.128/25', '::/0', '2001:db8::/33'])
    t.equal(parseNetwork(text).ok, true, text);
  for (const [text, network] of [
    ['10.0.0.1/0', '0.0.0.0/0'],
    ['192.0.2.129/25', '192.0.2.128/25'],
    ['2001:db8:ffff::/33', '2001:db8:8000::/33'],
    ['2001:db8::1/127', '2001:db8::/127'],
  ] as const)
    t.same(
      parseNetwork(text),
      { ok: false, problem: `${text} has bits behind its prefix; the network is ${network}` },
      text,
    );
});

t.test('law: the network that is named is one, and of the same first bits', async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  fc.assert(
    fc.property(bytes, fc.nat(128), (raw, at) => {
      const length = Math.min(at, raw.length * 8);
      const parsed = parseNetwork(`${ipFromBytes(raw)}/${length}`);
      const named = parsed.ok ? parsed.value.address : /network is ([^/]*)\//.exec(parsed.problem)?.[1];
      const bits = (each: Uint8Array) =>
        Array.from(each, (byte) => byte.toString(2).padStart(8, '0')).join('');
      const network = bits(ipBytes(ip(named ?? '')));
      return (
        parseNetwork(`${named}/${length}`).ok &&
        network ===
          bits(raw)
            .slice(0, length)
            .padEnd(raw.length * 8, '0')
      );
    }),
  );
});
