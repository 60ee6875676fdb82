import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ftpProber } from '../../src/checks/ftp.js';
import { httpProber } from '../../src/checks/http.js';
import type { FtpCheck } from '../../src/checks/model.js';
import type { Target } from '../../src/checks/spec-target.js';
import type { HttpCheck } from '../../src/checks/spec-web.js';
import { type Ip, ip } from '../../src/core/ip.js';
import { systemClock } from '../../src/sys/clock.js';
import { Authority, NO_OPENSSL } from './certificates.js';
import { check as httpCheck } from './http-talks.js';
import { closedPort, LOCALHOST, probeOnce } from './listeners.js';
import { tlsClient, tlsSettings } from './secure.js';
import { folder, missing, start, startNginx } from './servers.js';

const now = systemClock.monotonic;
const [http, ftp] = [httpProber(now, tlsClient), ftpProber(now, tlsClient)];

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
const url = (path: string) => httpCheck(NOWHERE, { path });
const NOWHERE: Target = { address: LOCALHOST, port: 1 };
const PROBE = { kind: 'basic', user: 'probe', password: 's3cret' } as const;

const NGINX = (dir: string, port: number, tlsPort: number): string => `
  server {
    listen 127.0.0.1:${port};
    listen 127.0.0.1:${tlsPort} ssl;
    ssl_certificate ${dir}/cert.pem;
    ssl_certificate_key ${dir}/key.pem;
    root ${dir};
    location /alive { return 200 "all is fine\\n"; }
    location /broken { return 500; }
    location /moved { return 301 /alive; }
    location /empty { return 204; }
    location /mute { return 444; }
    location /page.html { ssi on; }
    location /json { return 200 '{"status":"ok","lag":0}'; }
    location /secret { auth_basic x; auth_basic_user_file ${dir}/users; try_files /secret.txt =404; }
    location /secure { return 302 https://www.example.org:${tlsPort}/alive; }
    location /plain { return 302 http://www.example.org:${port}/alive; }
    location /loop { return 302 /loop; }
    location /host { return 200 "$host $http_x_key"; }
  }
`;

t.test('nginx', { skip: missing('nginx') || NO_OPENSSL }, async (t) => {
  const authority = new Authority(t, 'nginx');
  const { key, cert } = authority.issue('DNS:www.example.org');
  const page = `<!--# echo var="date_local" -->${'x'.repeat(200_000)}the end`;
  const users = 'probe:{PLAIN}s3cret\n';
  const dir = folder(t, {
    'page.html': page,
    'secret.txt': 'known',
    users,
    'cert.pem': cert,
    'key.pem': key,
  });
  const [plain, secure] = [await closedPort(t), await closedPort(t)];
  const server = await startNginx(t, plain, dir, NGINX(dir, plain.port, secure.port));

  const rows: readonly (readonly [string, Partial<HttpCheck>, object])[] = [
    ['a status', { path: '/alive' }, { kind: 'ok' }],
    ['a text', { path: '/alive', contains: 'is fine' }, { kind: 'ok' }],
    ['HEAD', { path: '/alive', method: 'HEAD' }, { kind: 'ok' }],
    ['204', { path: '/empty' }, { kind: 'ok' }],
    [
      'the host and a header',
      { path: '/host', host: 'x.example.org', headers: [['x-key', 'abc']], contains: 'x.example.org abc' },
      { kind: 'ok' },
    ],
    [
      'a long chunked page',
      { path: '/page.html', contains: 'the end', bodyLimit: 1_000_000 },
      { kind: 'ok' },
    ],
    [
      'a page longer than we read',
      { path: '/page.html', contains: 'the end', bodyLimit: 9999 },
      { kind: 'too-long', limit: 9999 },
    ],
    ['another text', { path: '/alive', contains: 'is bad' }, { kind: 'bad-content' }],
    ['an error', { path: '/broken' }, { kind: 'bad-status', status: 500 }],
    ['a redirect', { path: '/moved' }, { kind: 'bad-status', status: 301 }],
    ['no such page', { path: '/nothing' }, { kind: 'bad-status', status: 404 }],
    [
      'a method that is not allowed',
      { path: '/page.html', method: 'OPTIONS' },
      { kind: 'bad-status', status: 405 },
    ],
    ['a text by regex', { path: '/alive', matches: '^all is [a-z]+$' }, { kind: 'ok' }],
    ['a digest', { path: '/alive', digest: md5('all is fine\n') }, { kind: 'ok' }],
    [
      'a regex over chunks',
      { path: '/page.html', matches: 'the end$', bodyLimit: 1_000_000 },
      { kind: 'ok' },
    ],
    ['another digest', { path: '/alive', digest: md5('') }, { kind: 'bad-content' }],
    [
      'JSON',
      {
        path: '/json',
        json: [
          ['/status', 'ok'],
          ['/lag', 0],
        ],
      },
      { kind: 'ok' },
    ],
    ['a header', { path: '/alive', fields: [['server', '^nginx/1\\.']] }, { kind: 'ok' }],
    ['a name', { path: '/secret', contains: 'known', credentials: PROBE }, { kind: 'ok' }],
    ['no name', { path: '/secret' }, { kind: 'bad-status', status: 401 }],
    [
      'HTTP/1.0',
      { version: '1.0', path: '/page.html', contains: 'the end', bodyLimit: 1_000_000 },
      { kind: 'ok' },
    ],
    ['several urls', { path: '/alive', further: ['/page.html', '/json', '/empty'].map(url) }, { kind: 'ok' }],
    [
      'several urls, one of which fails',
      { path: '/alive', further: ['/page.html', '/nothing', '/empty'].map(url) },
      { kind: 'bad-status', status: 404, at: '/nothing' },
    ],
    ['a redirect that is followed', { path: '/moved', redirects: 1, contains: 'fine' }, { kind: 'ok' }],
    ['a loop', { path: '/loop', redirects: 3 }, { kind: 'bad-status', status: 302 }],
    ['a server that hangs up', { path: '/mute' }, { kind: 'closed', phase: 'response' }],
  ];
  for (const [name, more, reason] of rows) {
    t.match((await probeOnce(t, http, httpCheck(plain, more))).reason, reason, name);
    const tls = tlsSettings({ serverName: 'www.example.org', authorities: authority.cert });
    const spec = httpCheck(secure, { type: 'https', tls, ...more });
    t.match((await probeOnce(t, http, spec)).reason, reason, `${name}, by TLS`);
  }
  const tls = tlsSettings({ serverName: 'www.example.org', authorities: authority.cert });
  const up = httpCheck(plain, { path: '/secure', redirects: 1 });
  t.match((await probeOnce(t, http, up)).reason, { kind: 'tls', problem: 'unknown-authority' }, 'to https');
  const there = httpCheck(secure, { type: 'https', tls, path: '/secure', redirects: 1 });
  const at = `https://www.example.org:${secure.port}/alive`;
  t.same((await probeOnce(t, http, there)).reason, { kind: 'ok', at }, 'from https to https');
  const down = httpCheck(secure, { type: 'https', tls, path: '/plain', redirects: 1, contains: 'fine' });
  const downAt = `http://www.example.org:${plain.port}/alive`;
  t.same((await probeOnce(t, http, down)).reason, { kind: 'ok', at: downAt }, 'from https to http');
  t.match(
    (await probeOnce(t, http, httpCheck(secure))).reason,
    { kind: 'bad-status', status: 400 },
    'HTTP to HTTPS',
  );

  server.kill('SIGSTOP');
  const frozen = await probeOnce(t, http, httpCheck(plain, { path: '/alive' }), { deadline: 200 });
  t.match(frozen.reason, { kind: 'timeout', phase: 'response' }, 'frozen: the kernel still accepts');
  server.kill('SIGCONT');
  t.equal((await probeOnce(t, http, httpCheck(plain, { path: '/alive' }))).outcome, 'pass', 'and thawed');
  const exited = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGKILL');
  await exited;
  t.match(
    (await probeOnce(t, http, httpCheck(plain))).reason,
    { kind: 'refused', phase: 'connect' },
    'killed',
  );
});

/** As root it needs a user `ftp` of its own and an empty folder; else it runs as whoever started it. */
function vsftpd(dir: string, address: Ip, port: number, more: readonly string[]): string {
  const isRoot = process.getuid?.() === 0;
  const listen = address.includes(':')
    ? ['listen=NO', 'listen_ipv6=YES', `listen_address6=${address}`]
    : ['listen=YES', 'listen_ipv6=NO', `listen_address=${address}`];
  return [
    ...listen,
    `listen_port=${port}`,
    'background=NO',
    'seccomp_sandbox=NO',
    'anonymous_enable=YES',
    `anon_root=${join(dir, 'root')}`,
    `secure_chroot_dir=${join(dir, 'empty')}`,
    'xferlog_enable=NO',
    ...(isRoot ? [] : ['run_as_launching_user=YES']),
    ...more,
    '',
  ].join('\n');
}

async function startVsftpd(t: Test, address: Ip, more: readonly string[] = []): Promise<Target> {
  const { port } = await closedPort(t);
  const dir = folder(t, { banner: 'Welcome\n220 not yet\nto this server\n' });
  for (const name of ['root', 'empty']) mkdirSync(join(dir, name), { mode: 0o755 });
  writeFileSync(join(dir, 'root', 'alive'), 'alive\n'.repeat(1000), { mode: 0o644 });
  const config = vsftpd(dir, address, port, [`banner_file=${join(dir, 'banner')}`, ...more]);
  // It refuses a configuration that is not root's where it runs as root.
  writeFileSync(join(dir, 'conf'), config, { mode: 0o600 });
  const target = { address, port };
  await start(t, target, ['vsftpd', join(dir, 'conf')]);
  return target;
}

function ftpCheck(target: Target, more: Partial<FtpCheck> = {}): FtpCheck {
  return {
    type: 'ftp',
    target,
    user: 'anonymous',
    password: 'probe@',
    file: undefined,
    fileBy: 'size',
    tls: undefined,
    ...more,
  };
}

t.test('vsftpd', { skip: missing('vsftpd') }, async (t) => {
  const four = await startVsftpd(t, LOCALHOST, ['pasv_address=192.0.2.77']);
  const six = await startVsftpd(t, ip('::1'));
  const shut = await startVsftpd(t, LOCALHOST, ['pasv_enable=NO']);
  const full = await startVsftpd(t, LOCALHOST, ['anonymous_enable=NO', 'local_enable=NO']);
  const rows: readonly (readonly [string, FtpCheck, object])[] = [
    ['a login, with a banner of many lines', ftpCheck(four), { kind: 'ok' }],
    ['a file by its size', ftpCheck(four, { file: 'alive' }), { kind: 'ok' }],
    [
      'a file by reading it, though the server names another address',
      ftpCheck(four, { file: 'alive', fileBy: 'retrieve' }),
      { kind: 'ok' },
    ],
    ['a login over IPv6', ftpCheck(six), { kind: 'ok' }],
    ['a file by EPSV', ftpCheck(six, { file: 'alive', fileBy: 'retrieve' }), { kind: 'ok' }],
    [
      'a file that is not there',
      ftpCheck(four, { file: 'dead' }),
      { kind: 'rejected', phase: 'request', code: 550 },
    ],
    [
      'a file that cannot be read',
      ftpCheck(four, { file: 'dead', fileBy: 'retrieve' }),
      { kind: 'rejected', phase: 'data', code: 550 },
    ],
    ['another user', ftpCheck(four, { user: 'nobody' }), { kind: 'rejected', phase: 'login', code: 530 }],
    [
      'no passive mode',
      ftpCheck(shut, { file: 'alive', fileBy: 'retrieve' }),
      { kind: 'rejected', phase: 'request', code: 550 },
    ],
    ['nobody is let in', ftpCheck(full), { kind: 'rejected', phase: 'greeting', code: 500 }],
  ];
  for (const [name, spec, reason] of rows)
    t.match((await probeOnce(t, ftp, spec, { deadline: 5000 })).reason, reason, name);
  const wrong = await probeOnce(t, http, httpCheck(four));
  t.match(wrong.reason, { kind: 'protocol-error', detail: 'bad status line' }, 'HTTP to FTP');
});
