/** A configuration of many services, and what ipvsadm prints when it is in force. */

function vip(service: number): string {
  return `10.1.${service >> 8}.${service & 255}`;
}

function servers(service: number, count: number): string[] {
  return Array.from({ length: count }, (_, server) => {
    const number = service * count + server + 256;
    return `10.${2 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
  });
}

/** Checks come to no verdict within the hour. */
export function manyServices(count: number, each: number): string {
  const lines = ['name: many', 'defaults: { check: { interval: 1h, timeout: 1s } }', 'services:'];
  for (let service = 0; service < count; service += 1) {
    lines.push(
      `  s${service}: { address: ${vip(service)}:80, servers: [${servers(service, each).join(', ')}] }`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** The lines of `ipvsadm -Sn`, in no order that means anything. */
export function manyLines(count: number, each: number): string[] {
  return Array.from({ length: count }, (_, service) => [
    `-A -t ${vip(service)}:80 -s wlc`,
    ...servers(service, each).map((server) => `-a -t ${vip(service)}:80 -r ${server}:80 -g -w 1`),
  ]).flat();
}
