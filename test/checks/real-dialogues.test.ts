/** The kinds of check that hold a dialogue, against the servers that Debian has. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { allProbers, probeByType } from '../../src/checks/kinds.js';
import type { ProbeSpec } from '../../src/checks/model.js';
import type { TlsUse } from '../../src/checks/spec-tls.js';
import { systemClock } from '../../src/sys/clock.js';
import { openPacketSocket } from '../../src/sys/packet.js';
import { Authority, NO_OPENSSL } from './certificates.js';
import { closedPort, probeOnce } from './listeners.js';
import { runProgram } from './programs.js';
import { tlsSettings } from './secure.js';
import { folder, missing, start } from './servers.js';

const probers = allProbers({ clock: systemClock, openSocket: openPacketSocket, run: runProgram });
const prober = (spec: ProbeSpec, signal: AbortSignal) => probeByType(probers, spec, signal);

type Row = readonly [name: string, spec: ProbeSpec, reason: object];

async function hold(t: Test, rows: readonly Row[]): Promise<void> {
  for (const [name, spec, reason] of rows)
    t.match((await probeOnce(t, prober, spec, { deadline: 10_000 })).reason, reason, name);
}

const OK = { kind: 'ok' };

t.test('memcached', { skip: missing('memcached') }, async (t) => {
  const target = await closedPort(t);
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  await start(t, target, ['memcached', '-l', target.address, '-p', String(target.port), '-U', '0', ...user]);
  await hold(t, [
    ['its version', { type: 'memcached', target }, OK],
    [
      'a dialogue of our own',
      {
        type: 'send-expect',
        target,
        tls: undefined,
        steps: [
          { kind: 'send', text: 'set a 0 0 2\r\nok\r\n' },
          { kind: 'expect-regex', regex: '^STORED$' },
          { kind: 'send-hex', hex: '67 65 74 20 61 0d 0a' },
          { kind: 'expect', text: 'ok\r\nEND' },
        ],
      },
      OK,
    ],
    [
      'another protocol',
      { type: 'smtp', target, hello: 'director', tls: undefined },
      { kind: 'timeout', phase: 'greeting' },
    ],
  ]);
});

t.test('dnsmasq', { skip: missing('dnsmasq') }, async (t) => {
  const target = await closedPort(t);
  const names = [
    '--address=/a.example/192.0.2.80',
    '--address=/a.example/2001:db8::80',
    '--mx-host=a.example,b.example,10',
  ];
  const long = Array.from(
    { length: 30 },
    (_, index) => `--txt-record=long.example,${'x'.repeat(100)}${index}`,
  );
  await start(t, target, [
    'dnsmasq',
    '--no-daemon',
    '--conf-file=/dev/null',
    '--no-resolv',
    '--no-hosts',
    '--bind-interfaces',
    `--listen-address=${target.address}`,
    `--port=${target.port}`,
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
    ...names,
    ...long,
    '--txt-record=t.example,All is fine',
  ]);
  const dns = (name: string, record: number, answer?: string, rcode = 0, transport: 'udp' | 'tcp' = 'udp') =>
    ({ type: 'dns', target, transport, name, record, rcode, answer }) as const;
  await hold(t, [
    ['an address', dns('a.example', 1, '192.0.2.80'), OK],
    ['over TCP', dns('A.example', 1, '192.0.2.80', 0, 'tcp'), OK],
    ['an IPv6 address', dns('a.example.', 28, '2001:db8::80'), OK],
    ['a mail exchanger', dns('a.example', 15, '10 B.example'), OK],
    ['a text', dns('t.example', 16, 'All is fine'), OK],
    ['another text', dns('t.example', 16, 'all is fine'), { kind: 'bad-content' }],
    ['a response that was cut, then over TCP', dns('long.example', 16, `${'x'.repeat(100)}29`), OK],
    ['a name that it does not know', dns('b.example', 1), { kind: 'rejected', code: 5 }],
    ['and that is wanted so', dns('b.example', 1, undefined, 5), OK],
  ]);
});

const DOVECOT = (dir: string, ports: { readonly imap: number; readonly pop3: number }): string => `
base_dir = ${dir}/run
state_dir = ${dir}/run
log_path = ${dir}/log
protocols = imap pop3
listen = 127.0.0.1
ssl = yes
ssl_cert = <${dir}/cert.pem
ssl_key = <${dir}/key.pem
disable_plaintext_auth = yes
mail_location = maildir:${dir}/mail
default_internal_user = nobody
default_login_user = nobody
default_internal_group = nogroup
first_valid_uid = 0
auth_mechanisms = plain login
passdb {
  driver = static
  args = password=s3cret
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=${dir}/mail
}
service imap-login {
  chroot =
  inet_listener imap {
    port = ${ports.imap}
  }
  inet_listener imaps {
    port = 0
  }
}
service pop3-login {
  chroot =
  inet_listener pop3 {
    port = ${ports.pop3}
  }
  inet_listener pop3s {
    port = 0
  }
}
`;

t.test('dovecot', { skip: missing('dovecot', true) || NO_OPENSSL }, async (t) => {
  const authority = new Authority(t, 'dovecot');
  const { key, cert } = authority.issue('DNS:mail.example.org');
  const [imap, pop3] = [await closedPort(t), await closedPort(t)];
  const dir = folder(t, { 'cert.pem': cert, 'key.pem': key });
  mkdirSync(join(dir, 'mail'));
  spawnSync('chown', ['nobody:nogroup', join(dir, 'mail')]);
  writeFileSync(join(dir, 'conf'), DOVECOT(dir, { imap: imap.port, pop3: pop3.port }));
  await start(t, [imap, pop3], ['dovecot', '-F', '-c', join(dir, 'conf')]);
  const settings = tlsSettings({ serverName: 'mail.example.org', authorities: authority.cert });
  const tls: TlsUse = { start: 'starttls', ...settings };
  const login = { user: 'probe', password: 's3cret' };
  const rows = (['imap', 'pop3'] as const).flatMap((type): readonly Row[] => {
    const target = type === 'imap' ? imap : pop3;
    const wrong = { user: 'probe', password: 'guess' };
    return [
      [`${type}: a greeting`, { type, target, login: undefined, tls: undefined }, OK],
      [`${type}: TLS`, { type, target, login: undefined, tls }, OK],
      [`${type}: a login`, { type, target, login, tls }, OK],
      [
        `${type}: a login in plain text, which it allows from its own host`,
        { type, target, login, tls: undefined },
        OK,
      ],
      [
        `${type}: a wrong password`,
        { type, target, login: wrong, tls },
        { kind: 'rejected', phase: 'login' },
      ],
      [
        `${type}: another name`,
        { type, target, login, tls: { ...tls, serverName: 'www.example.org' } },
        { kind: 'tls', problem: 'wrong-name' },
      ],
    ];
  });
  await hold(t, rows);
});

const EXIM = (dir: string, port: number): string => `
primary_hostname = mail.example.org
daemon_smtp_ports = ${port}
local_interfaces = 127.0.0.1
spool_directory = ${dir}/spool
log_file_path = ${dir}/log-%s
pid_file_path = ${dir}/pid
exim_user = Debian-exim
exim_group = Debian-exim
never_users =
tls_advertise_hosts = *
tls_certificate = ${dir}/cert.pem
tls_privatekey = ${dir}/key.pem
smtp_banner = mail.example.org\\nno spam, please\\nready
acl_smtp_helo = accept
begin acl
begin routers
begin transports
`;

t.test('exim', { skip: missing('exim4', true) || NO_OPENSSL }, async (t) => {
  const authority = new Authority(t, 'exim');
  const { key, cert } = authority.issue('DNS:mail.example.org');
  const target = await closedPort(t);
  const dir = folder(t, { 'cert.pem': cert, 'key.pem': key });
  writeFileSync(join(dir, 'conf'), EXIM(dir, target.port), { mode: 0o644 });
  mkdirSync(join(dir, 'spool'));
  spawnSync('chown', ['-R', 'Debian-exim:Debian-exim', dir]);
  spawnSync('chown', ['root:root', join(dir, 'conf')]);
  await start(t, target, ['exim4', '-C', join(dir, 'conf'), '-bdf']);
  const settings = tlsSettings({ serverName: 'mail.example.org', authorities: authority.cert });
  const smtp = (tls: TlsUse | undefined): ProbeSpec => ({ type: 'smtp', target, hello: 'director', tls });
  await hold(t, [
    ['a greeting of many lines', smtp(undefined), OK],
    ['STARTTLS', smtp({ start: 'starttls', ...settings }), OK],
    [
      'an authority that is not known',
      smtp({ start: 'starttls', ...settings, authorities: undefined }),
      { kind: 'tls', problem: 'unknown-authority' },
    ],
  ]);
});

t.test('vsftpd with TLS', { skip: missing('vsftpd', true) || NO_OPENSSL }, async (t) => {
  const authority = new Authority(t, 'vsftpd');
  const { key, cert } = authority.issue('DNS:ftp.example.org');
  const target = await closedPort(t);
  const dir = folder(t, { 'cert.pem': cert, 'key.pem': key });
  for (const name of ['root', 'empty']) mkdirSync(join(dir, name), { mode: 0o755 });
  writeFileSync(join(dir, 'root', 'alive'), 'alive\n'.repeat(1000), { mode: 0o644 });
  const settings = [
    'listen=YES',
    'listen_ipv6=NO',
    `listen_address=${target.address}`,
    `listen_port=${target.port}`,
    'background=NO',
    'seccomp_sandbox=NO',
    'anonymous_enable=YES',
    `anon_root=${join(dir, 'root')}`,
    `secure_chroot_dir=${join(dir, 'empty')}`,
    'xferlog_enable=NO',
    'ssl_enable=YES',
    'allow_anon_ssl=YES',
    'force_anon_logins_ssl=YES',
    'force_anon_data_ssl=YES',
    `rsa_cert_file=${join(dir, 'cert.pem')}`,
    `rsa_private_key_file=${join(dir, 'key.pem')}`,
    '',
  ];
  writeFileSync(join(dir, 'conf'), settings.join('\n'), { mode: 0o600 });
  await start(t, target, ['vsftpd', join(dir, 'conf')]);
  const tls: TlsUse = {
    start: 'starttls',
    ...tlsSettings({ serverName: 'ftp.example.org', authorities: authority.cert }),
  };
  const login = { type: 'ftp', target, user: 'anonymous', password: 'probe@' } as const;
  await hold(t, [
    ['a login', { ...login, file: undefined, fileBy: 'size', tls }, OK],
    ['a file by its size', { ...login, file: 'alive', fileBy: 'size', tls }, OK],
    ['a file that comes over TLS', { ...login, file: 'alive', fileBy: 'retrieve', tls }, OK],
    [
      'no TLS where it must be',
      { ...login, file: undefined, fileBy: 'size', tls: undefined },
      { kind: 'rejected', phase: 'login' },
    ],
    [
      'another name',
      { ...login, file: undefined, fileBy: 'size', tls: { ...tls, serverName: 'www.example.org' } },
      { kind: 'tls', problem: 'wrong-name' },
    ],
  ]);
});
