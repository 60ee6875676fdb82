/** The Debian packages that the tests use, and how they are installed without starting any service. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { run, say } from './process.mjs';

/** Package -> what it is for. The only list. */
const PACKAGES = {
  'g++': 'the native part',
  make: 'the native part',
  python3: 'node-gyp, which builds the native part',
  'user-mode-linux': 'a kernel with IPVS for the kernel tests',
  kmod: 'modprobe in that kernel',
  iproute2: 'namespaces, links and addresses',
  procps: 'sysctl and ps',
  ipvsadm: 'a second reader of the IPVS table',
  'nginx-light': 'a real HTTP server',
  'python3-grpcio': 'a real gRPC server',
  'python3-websockets': 'a real WebSocket server',
  vsftpd: 'a real FTP server',
  'exim4-daemon-light': 'a real SMTP server',
  'dovecot-imapd': 'a real IMAP server',
  'dovecot-pop3d': 'a real POP3 server',
  memcached: 'a real memcached',
  'dnsmasq-base': 'a real DNS server',
  'redis-server': 'a real Redis, with which directors share admin state',
  postgresql: 'a real PostgreSQL',
  'mariadb-server': 'a real MariaDB',
  slapd: 'a real LDAP server',
  'monitoring-plugins-basic': 'plugins of Nagios, for checks by programs',
  mon: 'monitors of mon, for checks by programs',
  fping: 'what a monitor of mon calls',
  freeradius: 'a real RADIUS server',
  mosquitto: 'a real MQTT broker',
  openssl: 'certificates for the HTTPS tests',
  curl: 'a client that we did not write',
  ldirectord: 'whose tables are taken over',
  keepalived: 'a VRRP peer, and what the benchmark compares with',
  frr: 'a VRRP peer',
  tcpdump: 'an observer of VRRP that we did not write',
  'iputils-arping': 'an observer that asks for MACs over IPv4',
  ndisc6: 'an observer that asks for MACs over IPv6',
};

/** What dpkg-query prints of each package; the placeholders are its own. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query fills these in
const FORMAT = '${Package} ${db:Status-Status}\n';

const POLICY = '/usr/sbin/policy-rc.d';

function missingPackages() {
  const names = Object.keys(PACKAGES);
  const { output } = run('dpkg-query', ['-W', '-f', FORMAT, ...names]);
  const installed = new Set(
    output.split('\n').flatMap((line) => (line.endsWith(' installed') ? [line.split(' ')[0]] : [])),
  );
  return names.filter((name) => !installed.has(name));
}

/** invoke-rc.d asks /usr/sbin/policy-rc.d; 101 means: start nothing. Ours is there only while apt-get runs. */
function withoutServices(body) {
  const ours = !existsSync(POLICY);
  // Ctrl-C ends apt-get, not us: the file must not stay.
  const goOn = () => undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, goOn);
  if (ours) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    body();
  } finally {
    if (ours) rmSync(POLICY, { force: true });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(signal, goOn);
  }
}

function aptGet(args) {
  return run('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=120', ...args], {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  });
}

function install(names) {
  // A machine that has another mail server keeps it.
  return aptGet(['install', '-y', '--no-install-recommends', '--no-remove', ...names]);
}

/** Installs what is missing where it can; else says in one line what will be missing. Never stops the tests. */
export function installDebianPackages() {
  if (!existsSync('/etc/debian_version')) {
    say('not Debian: tests whose programs are missing will be skipped');
    return;
  }
  const missing = missingPackages();
  if (missing.length === 0) return;
  const list = missing.map((name) => `${name} (${PACKAGES[name]})`).join(', ');
  if (process.getuid?.() !== 0) {
    say(`not root, so these Debian packages are not installed and their tests will be skipped: ${list}`);
    return;
  }
  say(`installing Debian packages: ${list}`);
  aptGet(['update']);
  withoutServices(() => {
    const { status } = install(missing);
    // One package that this release has not must not cost the others.
    if (status !== 0) for (const name of missing) install([name]);
  });
  const failed = missingPackages();
  if (failed.length > 0)
    say(`apt-get could not install ${failed.join(', ')}: tests that need them will be skipped`);
}
