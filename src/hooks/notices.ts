/** From changes of role to what is told of them, in keepalived's words and forms. */
import { unreachable } from '../core/assert.js';
import type { Role } from '../vrrp/model.js';
import type { Notice, StateWord } from './model.js';

export interface Change {
  readonly instance: string;
  readonly to: Role;
  readonly priority: number;
}

function wordOf(role: Role): StateWord {
  switch (role) {
    case 'master':
      return 'MASTER';
    case 'backup':
      return 'BACKUP';
    case 'fault':
      return 'FAULT';
    case 'initialize':
      return 'STOP';
    default:
      return unreachable(role);
  }
}

/** What a group is when its members are these; undefined while they are on their way. */
function groupWord(members: readonly (StateWord | undefined)[]): StateWord | undefined {
  const [first] = members;
  if (members.includes('FAULT')) return 'FAULT';
  return members.every((word) => word === first) ? first : undefined;
}

/** Remembers what was told of whom: what did not change is not told again, as after a restart of the thread. */
export class RoleBook {
  readonly #instances = new Map<string, StateWord>();
  readonly #groups = new Map<string, StateWord>();
  #members: ReadonlyMap<string, readonly string[]> = new Map();

  /** @param members the names of the members of each sync group */
  configure(members: ReadonlyMap<string, readonly string[]>): void {
    this.#members = members;
    for (const name of this.#groups.keys()) if (!members.has(name)) this.#groups.delete(name);
  }

  /** What is to be told of a change: the instance first, then its group where that moved as a whole. */
  note({ instance, to, priority }: Change): readonly Notice[] {
    const state = wordOf(to);
    if (this.#instances.get(instance) === state) return [];
    this.#instances.set(instance, state);
    const own: Notice = { object: 'INSTANCE', name: instance, state, priority };
    return [own, ...this.#groupsOf(instance)];
  }

  #groupsOf(instance: string): readonly Notice[] {
    const notices: Notice[] = [];
    for (const [name, members] of this.#members) {
      if (!members.includes(instance)) continue;
      const state = groupWord(members.map((member) => this.#instances.get(member)));
      if (state === undefined || state === this.#groups.get(name)) continue;
      this.#groups.set(name, state);
      notices.push({ object: 'GROUP', name, state, priority: 0 });
    }
    return notices;
  }
}

/** What a program gets behind its own arguments. */
export function noticeArguments({ object, name, state, priority }: Notice): readonly string[] {
  return [object, name, state, String(priority)];
}

/** What a FIFO gets. */
export function noticeLine({ object, name, state, priority }: Notice): string {
  return `${object} "${name}" ${state} ${priority}\n`;
}
