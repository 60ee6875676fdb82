/** Puts a machine into the state that a real server needs, and back. */
import type { AddressClient, ObjectChange } from '../addresses/client.js';
import type { VirtualAddress } from '../addresses/model.js';
import { assert, unreachable } from '../core/assert.js';
import type { Errno } from '../core/errno.js';
import { ipFamily } from '../core/ip.js';
import type { Sysctls } from '../core/ports.js';
import { settingName } from '../core/shell.js';
import type { NetlinkResult } from '../netlink/exchange.js';
import { inspect, nextSteps, WHOLE_PREFIX } from './inspect.js';
import { undo, withSteps, withVips } from './memory.js';
import type { MemoryFile } from './memory-file.js';
import type { HostSeen, Point, Step, VipPlace } from './model.js';

/** Settings, devices, settings of new devices, addresses: what is not right after that is not to be put right. */
const ROUNDS_MAX = 8;

/** RT_SCOPE_HOST: never chosen as the source of connections that go elsewhere. */
const SCOPE_HOST = 254;
/** IFAPROT_UNSPEC. With the tag of virtual routers a director would take the address for a leftover. */
const NOBODY = 0;

export interface Outcome {
  /** All that is needed, as it is in the end. */
  readonly points: readonly Point[];
  /** What was changed, in order. */
  readonly done: readonly string[];
  /** What the kernel refused, and what stays as it is. */
  readonly troubles: readonly string[];
}

export interface RealServerOptions {
  readonly client: AddressClient;
  readonly sysctls: Sysctls;
  readonly memory: MemoryFile;
}

function addressOf({ address, device }: VipPlace): VirtualAddress {
  const family = ipFamily(address);
  const isIpv6 = family === 'ipv6';
  return {
    kind: 'address',
    device,
    address,
    prefix: WHOLE_PREFIX[family],
    broadcast: undefined,
    label: undefined,
    scope: isIpv6 ? 0 : SCOPE_HOST,
    noDad: isIpv6,
    deprecated: isIpv6,
  };
}

/** What a step is to people, once it is done. */
function stepText(step: Step, host: HostSeen): string {
  switch (step.kind) {
    case 'setting':
      return `${settingName(step.path)} = ${step.value} (was ${host.setting(step.path) ?? 'missing'})`;
    case 'create':
      return `${step.device} made`;
    case 'link':
      return `${step.device} ${step.up ? 'up' : 'down'}`;
    case 'add':
      return `${step.vip.address} added to ${step.vip.device}`;
    case 'remove':
      return `${step.vip.address} removed from ${step.vip.device}`;
    default:
      return unreachable(step);
  }
}

/** It is so already: somebody else was quicker. The module made its device when the kernel loaded it. */
const ALREADY: Readonly<Partial<Record<Step['kind'], readonly Errno[]>>> = {
  create: ['EEXIST'],
  add: ['EEXIST'],
  remove: ['EADDRNOTAVAIL', 'ENODEV'],
};

export class RealServer {
  readonly #options: RealServerOptions;

  constructor(options: RealServerOptions) {
    this.#options = options;
  }

  /** What is right and what is not. Changes nothing. @throws NETLINK (rejects) */
  async check(vips: readonly VipPlace[]): Promise<readonly Point[]> {
    return inspect(await this.#look(), vips);
  }

  /**
   * Makes this machine ready for packets to the virtual IPs; what is right already is left alone. Stops at the first
   * refusal: no address comes before its settings. @throws NETLINK, MALFORMED, PERMISSION (rejects)
   */
  async up(vips: readonly VipPlace[]): Promise<Outcome> {
    const { memory } = this.#options;
    let remembered = withVips(await memory.read(), vips);
    await memory.write(remembered);
    const [done, troubles]: [string[], string[]] = [[], []];
    for (let round = 0; round < ROUNDS_MAX && troubles.length === 0; round += 1) {
      const host = await this.#look();
      const steps = nextSteps(inspect(host, vips));
      if (steps.length === 0) break;
      remembered = withSteps(remembered, steps, host);
      // Before the change: should we end here, it can still be undone.
      await memory.write(remembered);
      troubles.push(...(await this.#perform(steps, host, done)));
    }
    return { points: await this.check(vips), done, troubles };
  }

  /**
   * Takes virtual IPs away, and undoes what `up` did and no other virtual IP needs.
   * @throws NETLINK, MALFORMED, PERMISSION (rejects)
   */
  async down(vips: readonly VipPlace[]): Promise<Omit<Outcome, 'points'>> {
    const { memory } = this.#options;
    const host = await this.#look();
    const { steps, after, kept } = undo(await memory.read(), vips, host);
    const done: string[] = [];
    for (const step of steps) {
      const troubles = await this.#perform([step], host, done);
      // What follows would let this machine answer for an address that it still has.
      if (troubles.length > 0) return { done, troubles };
    }
    await memory.write(after);
    return { done: [...done, ...kept], troubles: [] };
  }

  close(): void {
    this.#options.client.close();
  }

  async #look(): Promise<HostSeen> {
    const { client, sysctls } = this.#options;
    const links = await client.links();
    const names = new Map(links.map(({ index, name }) => [index, name]));
    const addresses = (await client.addresses()).flatMap(({ index, address, prefix }) => {
      const device = names.get(index);
      return device === undefined ? [] : [{ device, address, prefix }];
    });
    return {
      links: new Map(links.map(({ name, index, up }) => [name, { index, up }])),
      addresses,
      setting: (path) => sysctls.read(path),
    };
  }

  /** @returns what was refused */
  async #perform(steps: readonly Step[], host: HostSeen, done: string[]): Promise<string[]> {
    const troubles: string[] = [];
    for (const step of steps) {
      const text = stepText(step, host);
      const refusal = await this.#take(step, host);
      if (refusal === undefined) done.push(text);
      else troubles.push(`${text}: ${refusal}`);
    }
    return troubles;
  }

  /** @returns why it was refused */
  async #take(step: Step, host: HostSeen): Promise<string | undefined> {
    if (step.kind === 'setting') return this.#options.sysctls.write(step.path, step.value);
    const result = await this.#ask(step, host);
    if (result?.ok === true) return undefined;
    const { errno, text } = result ?? { errno: 'ETIMEDOUT', text: undefined };
    if (ALREADY[step.kind]?.some((each) => each === errno) === true) return undefined;
    return text === undefined ? `the kernel says ${errno}` : `the kernel says ${errno}: ${text}`;
  }

  async #ask(step: Exclude<Step, { kind: 'setting' }>, host: HostSeen): Promise<NetlinkResult | undefined> {
    const { client } = this.#options;
    if (step.kind === 'create') {
      const { device: name, tunnel } = step;
      return (await client.applyLinks([{ kind: 'create-tunnel', name, tunnel }]))[0];
    }
    const device = step.kind === 'link' ? step.device : step.vip.device;
    const index = host.links.get(device)?.index;
    assert(index !== undefined, `steps are for devices that are there: ${device}`);
    if (step.kind === 'link') return (await client.applyLinks([{ kind: 'change', index, up: step.up }]))[0];
    const change: ObjectChange = { kind: step.kind, object: addressOf(step.vip), index, protocol: NOBODY };
    return (await client.apply([change]))[0];
  }
}
