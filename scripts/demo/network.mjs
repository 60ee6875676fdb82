/**
 * The network of `npm run demo -- directors`: hosts in network namespaces, joined by a bridge in one more. Names hold
 * this process' id, so that what a killed demo left behind is known and taken away by the next one.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { run, Stop } from '../lib/process.mjs';

const PREFIX = 'lvdemo';
const BRIDGE_HOST = 'net';

/** What is begun is finished: Ctrl-C must not leave half of a network. */
const tryIp = (words) => run('ip', words, { detached: true });

function ip(words) {
  const { status, output } = tryIp(words);
  if (status !== 0) throw new Stop(`\`ip ${words.join(' ')}\` failed: ${output}`);
  return output;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Ends what still runs in a namespace of ours, and takes the namespace away. */
function removeNamespace(name) {
  for (const pid of tryIp(['netns', 'pids', name]).output.split('\n').map(Number))
    if (pid > 1 && isAlive(pid)) process.kill(pid, 'SIGKILL');
  tryIp(['netns', 'del', name]);
}

/** Takes away what demos left that were killed before they could. */
export function removeLeftovers() {
  const names = tryIp(['netns', 'list'])
    .output.split('\n')
    .map((line) => line.split(' ')[0]);
  for (const name of names) {
    const pid = Number(new RegExp(`^${PREFIX}-(\\d+)-[a-z]+$`).exec(name)?.[1]);
    if (pid > 0 && !isAlive(pid)) removeNamespace(name);
  }
}

/** A MAC address that shows whose it is: a host called `a` has 02:00:00:00:00:0a. */
const macOf = (number) => `02:00:00:00:00:0${number.toString(16)}`;

export class Network {
  #hosts = [];

  /**
   * @param {Record<string, {address: string, number: number}>} hosts name -> its address with prefix length, and the
   * last digit of its MAC address
   * @throws Stop where namespaces cannot be made here
   */
  build(hosts) {
    this.#namespace(BRIDGE_HOST);
    this.in(BRIDGE_HOST, 'ip', 'link', 'add', 'br0', 'type', 'bridge', 'mcast_snooping', '0');
    this.in(BRIDGE_HOST, 'ip', 'link', 'set', 'br0', 'up');
    for (const [host, { address, number }] of Object.entries(hosts)) {
      this.#namespace(host);
      const near = ['link', 'add', 'name', `to-${host}`, 'type', 'veth'];
      const far = ['peer', 'name', 'eth0', 'address', macOf(number), 'netns', this.nameOf(host)];
      this.in(BRIDGE_HOST, 'ip', ...near, ...far);
      this.in(BRIDGE_HOST, 'ip', 'link', 'set', `to-${host}`, 'master', 'br0', 'up');
      this.in(host, 'ip', 'addr', 'add', address, 'dev', 'eth0');
      this.in(host, 'ip', 'link', 'set', 'eth0', 'up');
    }
  }

  #namespace(host) {
    const { status, output } = tryIp(['netns', 'add', this.nameOf(host)]);
    if (status === 127) throw new Stop('the demo needs `ip`: as root on Debian, apt-get install iproute2');
    if (status !== 0)
      throw new Stop(
        `network namespaces cannot be made here (${output.split('\n')[0]}): run this as root on a Linux machine, ` +
          'or in a container with CAP_SYS_ADMIN and CAP_NET_ADMIN (docker run --privileged)',
      );
    this.#hosts.push(host);
    this.in(host, 'ip', 'link', 'set', 'lo', 'up');
  }

  nameOf(host) {
    return `${PREFIX}-${process.pid}-${host}`;
  }

  /** Runs a command on a host. @returns what it printed @throws Stop where it fails */
  in(host, ...words) {
    return ip(['netns', 'exec', this.nameOf(host), ...words]);
  }

  /** The cable between a host and the bridge: its carrier goes and comes. */
  setCable(host, isPlugged) {
    this.in(BRIDGE_HOST, 'ip', 'link', 'set', `to-${host}`, isPlugged ? 'up' : 'down');
  }

  /** Whether the bridge passes on what comes from a host and goes to it; the host itself sees no difference. */
  setBridged(host, isBridged) {
    const how = isBridged ? ['master', 'br0'] : ['nomaster'];
    this.in(BRIDGE_HOST, 'ip', 'link', 'set', `to-${host}`, ...how);
  }

  /** Whether a host has an address on its interface: the kernel's word, not lvsentry's. */
  has(host, address) {
    const [link] = JSON.parse(this.in(host, 'ip', '-j', 'addr', 'show', 'dev', 'eth0'));
    return link.addr_info.some(({ local }) => local === address);
  }

  /** The MAC address that a host believes an address to be at; undefined where it has not asked. */
  neighbour(host, address) {
    const found = JSON.parse(this.in(host, 'ip', '-j', 'neigh', 'show', address) || '[]');
    return found[0]?.lladdr;
  }

  /**
   * Starts a program on a host, in a process group of its own: Ctrl-C reaches the demo alone.
   * @param {(line: string) => void} onLine each line that it prints
   */
  start(host, words, onLine) {
    // `ip netns exec` becomes the program: the process id stays.
    const child = spawn('ip', ['netns', 'exec', this.nameOf(host), ...words], {
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.on('error', () => undefined);
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', onLine);
    child.gone = new Promise((resolve) => {
      child.once('exit', resolve);
    });
    return child;
  }

  remove() {
    // The bridge last: what still runs would tell of its end.
    for (const host of this.#hosts.reverse()) removeNamespace(this.nameOf(host));
    this.#hosts = [];
  }
}
