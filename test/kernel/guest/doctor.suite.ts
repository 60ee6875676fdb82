/** `lvsentry doctor` on a real director: what is broken is found, obeyed to the letter, and found right. */
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from '../../../src/doctor/model.js';
import type { Assertions } from '../../contract/assertions.js';
import { eventually } from '../client.js';
import { PROJECT } from '../lab.js';
import { ip, run } from './run-program.js';

/** Duplicate address detection takes a second or two. */
const DETECTION_MS = 15_000;

const PROGRAM = join(PROJECT, 'dist/bundle/src/main.js');

const CONFIGURATION = `
name: director-a
table: kernel
api: { listen: 127.0.0.1:8405 }
services:
  web:
    address: 192.0.2.254:80
    scheduler: mh
    forward: masquerade
    persistence: { timeout: 60s }
    check: { type: tcp, interval: 1s, timeout: 1s }
    servers: [10.0.0.2, 10.0.0.3]
  six:
    address: "[2001:db8::254]:80"
    scheduler: rr
    forward: masquerade
    check: { type: tcp }
    servers: ["2001:db8:1::2"]
sync: { interface: eth0, id: 7, role: master }
`;

interface Break {
  readonly id: string;
  readonly line: string;
}

const sysctl = (setting: string): string => `sysctl -qw ${setting}`;

const BREAKS: readonly Break[] = [
  { id: 'ip-forward', line: sysctl('net.ipv4.ip_forward=0') },
  { id: 'ipv6-forward', line: sysctl('net.ipv6.conf.all.forwarding=0') },
  { id: 'rp-filter', line: sysctl('net.ipv4.conf.all.rp_filter=1') },
  { id: 'send-redirects', line: sysctl('net.ipv4.conf.eth0.send_redirects=1') },
  { id: 'send-redirects', line: sysctl('net.ipv4.conf.all.send_redirects=1') },
  { id: 'conn-reuse-mode', line: sysctl('net.ipv4.vs.conn_reuse_mode=0') },
  { id: 'expire-nodest-conn', line: sysctl('net.ipv4.vs.expire_nodest_conn=0') },
  { id: 'expire-quiescent-template', line: sysctl('net.ipv4.vs.expire_quiescent_template=0') },
  { id: 'conntrack', line: sysctl('net.ipv4.vs.conntrack=1') },
  { id: 'estimation', line: sysctl('net.ipv4.vs.run_estimation=0') },
  { id: 'sync-threshold', line: "sysctl -qw 'net.ipv4.vs.sync_threshold=3 50'" },
  { id: 'modules', line: 'modprobe -r ip_vs_mh' },
  { id: 'virtual-ip', line: 'ip address del 192.0.2.254/32 dev eth0' },
  { id: 'virtual-ip', line: 'ip address del 2001:db8::254/128 dev eth0' },
];

export async function suite(t: Assertions): Promise<void> {
  const path = join(process.env.LAB_SHARED ?? '', 'doctor.yaml');
  writeFileSync(path, CONFIGURATION);
  ip('link add eth0 type veth peer name far0');
  ip('link set eth0 up');
  ip('link set far0 up');
  ip('address add 192.0.2.1/24 dev eth0');
  ip('-6 address add 2001:db8::1/64 dev eth0 nodad');

  const doctor = (): { readonly code: number | null; readonly findings: readonly Finding[] } => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [PROGRAM, 'doctor', '-c', path, '--json'],
      { encoding: 'utf8' },
    );
    if (stdout === '') throw new Error(stderr);
    return { code: status, findings: (JSON.parse(stdout) as { findings: Finding[] }).findings };
  };
  /** Those that a line of this guest can put right. */
  const wrong = (findings: readonly Finding[]): readonly Finding[] =>
    findings.filter(({ id, severity }) => severity !== 'ok' && !['clock', 'connection-table'].includes(id));
  const obey = (findings: readonly Finding[]): void => {
    for (const { fix } of findings) execFileSync('bash', ['-ec', fix ?? 'false'], { stdio: 'ignore' });
  };

  await t.test('what a fresh kernel lacks is found, and every line that is printed helps', async (t) => {
    const first = doctor();
    t.equal(first.code, 1, 'virtual IPs are missing, nothing is forwarded');
    const ids = new Set(wrong(first.findings).map(({ id }) => id));
    for (const id of ['ip-forward', 'expire-nodest-conn', 'virtual-ip', 'modules', 'sync-threshold'])
      t.ok(ids.has(id), id);
    obey(wrong(first.findings));
    const second = doctor();
    t.strictSame(wrong(second.findings), []);
    t.equal(second.code, 0);
    t.ok(run('ip', '-br', 'address', 'show', 'eth0').includes('192.0.2.254/32'));
  });

  await t.test(
    'each of these is found when it is broken, and put right by the line that is printed',
    async (t) => {
      for (const { line } of BREAKS) execFileSync('bash', ['-ec', line], { stdio: 'ignore' });
      const { code, findings } = doctor();
      const found = wrong(findings);
      const ids = (all: readonly { readonly id: string }[]) => [...new Set(all.map(({ id }) => id))].sort();
      t.strictSame(ids(found), ids(BREAKS), 'and nothing else');
      t.equal(code, 1);
      obey(found);
      const after = doctor();
      t.strictSame(wrong(after.findings), [], 'all is well again');
      t.equal(after.code, 0);
    },
  );

  await t.test('a virtual IP that would be a source, and one on lo alone', async (t) => {
    ip('-6 address change 2001:db8::254/128 dev eth0 preferred_lft forever');
    const source = wrong(doctor().findings);
    t.strictSame(
      source.map(({ id }) => id),
      ['virtual-ip-source'],
    );
    const chosen = (): string => run('ip', '-6', 'route', 'get', '2001:db8::255');
    // Not before it has found out that nobody else has it (RFC 4862, 5.4).
    const isChosen = await eventually(() => chosen().includes('src 2001:db8::254'), DETECTION_MS);
    t.ok(isChosen, `the kernel does choose it: ${chosen()}`);
    obey(source);
    t.strictSame(wrong(doctor().findings), []);
    t.ok(chosen().includes('src 2001:db8::1 '), `and not any more: ${chosen()}`);
    for (const address of ['192.0.2.254/32', '2001:db8::254/128']) {
      ip(`address del ${address} dev eth0`);
      ip(`address add ${address} dev lo`);
    }
    t.ok(JSON.stringify(wrong(doctor().findings)).includes('2001:db8::254 is on lo alone'), 'IPv6 at once');
    run('sysctl', '-qw', 'net.ipv4.conf.all.arp_ignore=1');
    const found = wrong(doctor().findings);
    t.strictSame(
      found.map(({ id, severity }) => `${id} ${severity}`),
      ['virtual-ip warning', 'virtual-ip warning'],
    );
    obey(found);
    t.strictSame(wrong(doctor().findings), []);
  });

  await t.test('services of others are told', async (t) => {
    run('ipvsadm', ...'-A -t 192.0.2.9:25 -s rr'.split(' '));
    const found = wrong(doctor().findings);
    t.equal(found.map(({ id, severity }) => `${id} ${severity}`).join(), 'foreign-services note');
    t.ok(found[0]?.seen.includes('192.0.2.9:25'), 'by name');
    run('ipvsadm', '-C');
  });
}
