/** Settings of the kernel for one interface (/proc/sys/net). */
import { readFileSync, writeFileSync } from 'node:fs';

/** Whether the machine forwards IPv6 that comes in on an interface. */
export function forwardsIpv6(device: string): boolean {
  try {
    return readFileSync(`/proc/sys/net/ipv6/conf/${device}/forwarding`, 'utf8').trim() !== '0';
  } catch {
    // Without IPv6, or without the interface, nothing is announced there either.
    return false;
  }
}

/**
 * Makes an interface keep the other IPv4 addresses of a subnet when the first of them is removed: by default the kernel
 * removes them all. It is written only where it is off, and stays.
 * @returns the error where it is off and cannot be written (`EROFS` in many containers)
 */
export function keepSecondaries(device: string): string | undefined {
  const file = `/proc/sys/net/ipv4/conf/${device}/promote_secondaries`;
  try {
    // The setting of all interfaces counts as well (IN_DEV_PROMOTE_SECONDARIES in linux/inetdevice.h).
    for (const path of [file, '/proc/sys/net/ipv4/conf/all/promote_secondaries'])
      if (readFileSync(path, 'utf8').trim() !== '0') return undefined;
    writeFileSync(file, '1\n');
    return undefined;
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    // Gone again already: the next interface of that name is asked anew.
    return code === 'ENOENT' ? undefined : (code ?? String(thrown));
  }
}
