/** What is probed from where, and what must come of it. Shared by the test and by its process in another network. */
export interface OriginProbe {
  /** Keys of the check; THERE is the namespace of the servers. */
  readonly check: string;
  readonly target: string;
  /** Of the prober, and of the fast lane; of a ping by a raw and by an unprivileged socket. */
  readonly expect: readonly string[];
  /** false: before anybody has said how sockets are opened. */
  readonly opener?: false;
}

const PASS = ['pass: ok', 'pass: ok'];
const PASS_BESIDE = ['pass: ok', 'not taken'];
const http = (more: string, from: string): string => `type: http, contains: 'from ${from};', ${more}`;
const udp = (more: string, from: string): string =>
  `type: udp, payload: x, reply-pattern: '${Buffer.from(`from ${from};`).toString('hex')}', ${more}`;
const unknown = (errno: string): string => `unknown: not probed: local error ${errno} in connect`;
const missing = (what: string): string => `unknown: not probed: there is no ${what}`;
const NO_ADDRESS = missing('address 203.0.113.1 here');
const NO_ADDRESS_6 = missing('address fd00:9::99 here');
const NO_NAMESPACE = missing('network namespace /run/netns/nowhere');
const SILENCE = ['fail: timeout in response', 'fail: timeout in response'];
const NO_INTERFACE = missing('interface nowhere0 here');

export const ORIGINS: readonly OriginProbe[] = [
  {
    check: 'type: tcp, namespace: THERE',
    target: '10.9.0.3:8000',
    expect: [unknown('ENOSYS'), 'not taken'],
    opener: false,
  },
  { check: http("path: '/'", '10.9.0.1'), target: '10.9.0.3:8000', expect: PASS },
  { check: http('source: 10.9.0.2', '10.9.0.2'), target: '10.9.0.3:8000', expect: PASS },
  {
    check: `type: https, verify: false, contains: 'from 10.9.0.2;', source: 10.9.0.2`,
    target: '10.9.0.3:8002',
    expect: PASS_BESIDE,
  },
  { check: udp('source: 10.9.0.2', '10.9.0.2'), target: '10.9.0.3:8001', expect: PASS_BESIDE },
  { check: 'type: tls, verify: false, interface: good', target: '10.9.9.9:8002', expect: PASS_BESIDE },
  // The routes lead by the other cable.
  {
    check: 'type: tcp',
    target: '10.9.9.9:8000',
    expect: ['fail: timeout in connect', 'fail: timeout in connect'],
  },
  { check: http('interface: good', '10.9.0.1'), target: '10.9.9.9:8000', expect: PASS },
  { check: http('mark: 2147483649', '10.9.0.2'), target: '10.9.9.9:8000', expect: PASS },
  {
    check: 'type: tls, verify: false, mark: 2147483649',
    target: '10.9.9.9:8002',
    expect: PASS_BESIDE,
  },
  {
    check: http('namespace: THERE', '127.0.0.1'),
    target: '127.0.0.1:8000',
    expect: PASS_BESIDE,
  },
  {
    check: udp('namespace: THERE, source: 10.9.0.3', '10.9.0.3'),
    target: '10.9.0.3:8001',
    expect: PASS_BESIDE,
  },
  // Nobody listens here: the thread came back.
  {
    check: 'type: tcp',
    target: '127.0.0.1:8000',
    expect: ['fail: connection refused in connect', 'fail: connection refused in connect'],
  },
  { check: 'type: ping', target: '10.9.0.3:0', expect: PASS },
  { check: 'type: ping, source: 10.9.0.2', target: '10.9.0.3:0', expect: PASS },
  { check: 'type: ping, source: 10.9.0.4', target: '10.9.0.3:0', expect: SILENCE },
  { check: 'type: ping, source: "fd00:9::2"', target: '[fd00:9::3]:0', expect: PASS },
  { check: 'type: ping, source: "fd00:9::4"', target: '[fd00:9::3]:0', expect: SILENCE },
  { check: 'type: ping', target: '10.9.9.9:0', expect: SILENCE },
  { check: 'type: ping, interface: good', target: '10.9.9.9:0', expect: PASS },
  { check: 'type: ping, mark: 2147483649', target: '10.9.9.9:0', expect: PASS },
  { check: 'type: ping, namespace: THERE, source: 10.9.9.9', target: '10.9.0.1:0', expect: PASS },
  { check: 'type: ping, source: 203.0.113.1', target: '10.9.0.3:0', expect: [NO_ADDRESS, NO_ADDRESS] },
  {
    check: 'type: ping, source: "fd00:9::99"',
    target: '[fd00:9::3]:0',
    expect: [NO_ADDRESS_6, NO_ADDRESS_6],
  },
  { check: 'type: ping, interface: nowhere0', target: '10.9.0.3:0', expect: [NO_INTERFACE, NO_INTERFACE] },
  { check: 'type: ping, namespace: nowhere', target: '10.9.0.3:0', expect: [NO_NAMESPACE, NO_NAMESPACE] },
  // What is missing is never the server's fault.
  {
    check: 'type: tcp, source: 203.0.113.1',
    target: '10.9.0.3:8000',
    expect: [NO_ADDRESS, NO_ADDRESS],
  },
  {
    check: 'type: tcp, interface: nowhere0',
    target: '10.9.0.3:8000',
    expect: [NO_INTERFACE, NO_INTERFACE],
  },
  {
    check: 'type: tcp, namespace: nowhere',
    target: '10.9.0.3:8000',
    expect: [NO_NAMESPACE, 'not taken'],
  },
  {
    check: 'type: tls, verify: false, namespace: /etc/hostname',
    target: '10.9.0.3:8002',
    expect: [unknown('EINVAL'), 'not taken'],
  },
  {
    check: 'type: udp, payload: x, interface: nowhere0',
    target: '10.9.0.3:8001',
    expect: [NO_INTERFACE, 'not taken'],
  },
];
