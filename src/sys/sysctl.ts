/** Settings of the kernel for one interface (/proc/sys/net). */
import { readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import type { Sysctls } from '../core/ports.js';

function fileOf(path: string): string {
  return `/proc/sys/net/${path}`;
}

export const systemSysctls: Sysctls = {
  read(path) {
    try {
      return readFileSync(fileOf(path), 'utf8').trim();
    } catch {
      return undefined;
    }
  },
  write(path, value) {
    if (this.read(path) === value) return undefined;
    try {
      writeFileSync(fileOf(path), value);
      return undefined;
    } catch (thrown) {
      return (thrown as NodeJS.ErrnoException).code ?? String(thrown);
    }
  },
};

/** What tells the network namespace of this thread from others that there are now: a number. */
export function networkName(): string {
  return readlinkSync('/proc/thread-self/ns/net').replace(/\D/g, '');
}

/** Whether the machine forwards IPv6 that comes in on an interface. */
export function forwardsIpv6(device: string): boolean {
  try {
    return readFileSync(`/proc/sys/net/ipv6/conf/${device}/forwarding`, 'utf8').trim() !== '0';
  } catch {
    // Without IPv6, or without the interface, nothing is announced there either.
    return false;
  }
}

/** What interfaces with virtual IPs need (net.ipv4.conf), and what happens without. Those of all interfaces count too. */
const NEEDED = [
  [
    'promote_secondaries',
    'it may lose its own addresses together with a virtual IP that was there before them',
  ],
  [
    'accept_local',
    'the owner of a virtual IP (priority 255) is not heard when it comes back while we have that address',
  ],
] as const;

function switchOn(device: string, name: string): string | undefined {
  const file = `/proc/sys/net/ipv4/conf/${device}/${name}`;
  try {
    // linux/inetdevice.h: IN_DEV_ORCONF
    for (const path of [file, `/proc/sys/net/ipv4/conf/all/${name}`])
      if (readFileSync(path, 'utf8').trim() !== '0') return undefined;
    writeFileSync(file, '1\n');
    return undefined;
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    // Gone again already: the next interface of that name is asked anew.
    return code === 'ENOENT' ? undefined : (code ?? String(thrown));
  }
}

/**
 * Switches on what an interface with IPv4 virtual IPs needs: that the kernel keeps the other addresses of a subnet when
 * its first one is removed, and that it takes packets from an address which is here too. Written only where it is off.
 * @returns a text for each setting that is off and cannot be written (`EROFS` in many containers)
 */
export function prepareForVips(device: string): readonly string[] {
  return NEEDED.flatMap(([name, without]) => {
    const error = switchOn(device, name);
    if (error === undefined) return [];
    return [
      `${device}: ${without}; the setting against it cannot be written (${error}): sysctl -w net.ipv4.conf.${device}.${name}=1`,
    ];
  });
}
