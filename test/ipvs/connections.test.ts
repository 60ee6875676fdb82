/** Lines as Linux 6.1 printed them. */
import fc from 'fast-check';
import t from 'tap';
import { readConnection } from '../../src/ipvs/connections.js';

t.test('a connection, IPv4', async (t) => {
  t.strictSame(readConnection('TCP C0A80101 8A3C C0A802FE 0050 C0A80202 1F90 ESTABLISHED     899'), {
    protocol: 'TCP',
    state: 'ESTABLISHED',
    expiresSeconds: 899,
    client: '192.168.1.1:35388',
    virtual: '192.168.2.254:80',
    server: '192.168.2.2:8080',
    engine: undefined,
  });
});

t.test('the template of a client, and what a persistence engine goes by', async (t) => {
  const template = readConnection('IP  C0A80100 0000 00000007 0000 C0A80202 0000 NONE            299');
  t.strictSame([template?.protocol, template?.client, template?.state], ['IP', '192.168.1.0:0', 'NONE']);
  const sip = readConnection(
    'UDP C0A80101 0000 C0A802FE 13C4 C0A80202 13C4 UDP             299 sip a84b4c76e66710@pc33.example',
  );
  t.equal(sip?.engine, 'sip a84b4c76e66710@pc33.example');
});

t.test('IPv6, and a server of the other family behind a tunnel', async (t) => {
  const client = '2001:0db8:0000:0000:0000:0000:0000:0001';
  const virtual = '2001:0db8:0000:0000:0000:0000:0000:0080';
  const six = readConnection(`TCP ${client} 8A3C ${virtual} 0050 ${virtual} 0050 FIN_WAIT          7`);
  t.strictSame([six?.client, six?.virtual], ['[2001:db8::1]:35388', '[2001:db8::80]:80']);
  const mixed = readConnection(`TCP ${client} 8A3C ${virtual} 0050 C0A80202 0050 SYN_RECV         59`);
  t.equal(mixed?.server, '192.168.2.2:80');
});

t.test('the heading, and what is none', async (t) => {
  for (const line of [
    'Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData',
    '',
    'TCP C0A80101 8A3C C0A802FE 0050 C0A80202 1F90 ESTABLISHED',
    'TCP C0A80101 8A3C C0A802FE 0050 C0A80202 1F9 ESTABLISHED 899',
    'TCP C0A8010 8A3C C0A802FE 0050 C0A80202 1F90 ESTABLISHED 899',
    'TCP C0A80101 8A3C C0A802FE 0050 C0A80202 1F90 ESTABLISHED -1',
    'TCP C0A80101 8A3C g:: 0050 C0A80202 1F90 ESTABLISHED 899',
  ])
    t.equal(readConnection(line), undefined, line);
});

t.test('law: any line is a connection or none, and never throws', async (t) => {
  const word = fc.oneof(fc.string(), fc.constantFrom('C0A80101', '0050', 'TCP', '::1', '7'));
  fc.assert(
    fc.property(fc.array(word, { maxLength: 14 }), (words) => {
      const found = readConnection(words.join(' '));
      return found === undefined || found.expiresSeconds >= 0;
    }),
  );
  t.pass('it held');
});
