/** From what the kernel has to what the roles call for: a list of operations. Level-based: run twice, it does nothing. */
import { ipFamily, isLinkLocal } from '../core/ip.js';
import type {
  ObjectOperation,
  ObjectSeen,
  ObjectWanted,
  VirtualAddress,
  VirtualObject,
  VirtualRule,
} from './model.js';
import { objectText } from './names.js';

/**
 * The tag of all that lvsentry makes (IFA_PROTO and its like): VRRP's own number, which no other program uses as a
 * tag. Kernels before 5.18 keep none for addresses; there only configured addresses are recognised.
 */
export const LVSENTRY_PROTOCOL = 112;

/** All there is to an object besides what names it, as one line. */
function settingsText(object: VirtualAddress | VirtualRule): string {
  if (object.kind === 'rule') return '';
  const { prefix, broadcast, label, scope, noDad, deprecated } = object;
  // The kernel works out the scope of an IPv6 address by itself, and the rest it knows for one family only.
  if (ipFamily(object.address) === 'ipv6') return [prefix, noDad, deprecated].join(' ');
  return [prefix, broadcast, label, scope].join(' ');
}

/** Whether what the kernel has is what is wanted; both have the same name. What is left to the kernel is always right. */
function isAsWanted(wanted: VirtualObject, seen: VirtualObject): boolean {
  if (wanted.kind !== 'route') return seen.kind !== 'route' && settingsText(wanted) === settingsText(seen);
  if (seen.kind !== 'route') return false;
  const { gateway, device, source, type } = seen;
  return (
    wanted.gateway === gateway &&
    wanted.source === source &&
    wanted.type === type &&
    (wanted.device === undefined || wanted.device === device)
  );
}

/** Rules point into tables, routes need addresses: they are added in this order and removed in the other. */
const ORDER: Readonly<Record<VirtualObject['kind'], number>> = { address: 0, route: 1, rule: 2 };

function byKind(a: ObjectOperation, b: ObjectOperation): number {
  return ORDER[a.object.kind] - ORDER[b.object.kind];
}

function groupSeen(seen: readonly ObjectSeen[]): ReadonlyMap<string, readonly ObjectSeen[]> {
  const found = new Map<string, ObjectSeen[]>();
  for (const item of seen) {
    const key = objectText(item.object);
    const same = found.get(key);
    if (same === undefined) found.set(key, [item]);
    else same.push(item);
  }
  return found;
}

function present(wanted: ObjectWanted, there: readonly ObjectSeen[], wasHeld: boolean): ObjectOperation[] {
  const { instance, object } = wanted;
  const [first] = there;
  if (first === undefined) return [{ kind: 'add', instance, object, cause: wasHeld ? 'put-back' : 'master' }];
  const exact = there.find((item) => isAsWanted(object, item.object));
  if (exact?.duplicate === true) return [{ kind: 'conflict', instance, object }];
  if (exact !== undefined) return wasHeld ? [] : [{ kind: 'adopt', instance, object }];
  if (wanted.native) return wasHeld ? [] : [{ kind: 'adopt', instance, object: first.object }];
  return [
    ...there.map(({ object: old }) => ({ kind: 'remove', instance, object: old, cause: 'changed' }) as const),
    { kind: 'add', instance, object, cause: 'changed' },
  ];
}

/** What is wanted under one key; an object that one instance wants present is not removed for another. */
function strongest(wanted: readonly ObjectWanted[]): ReadonlyMap<string, ObjectWanted> {
  const found = new Map<string, ObjectWanted>();
  for (const item of wanted) {
    const key = objectText(item.object);
    if (item.want === 'present' || !found.has(key)) found.set(key, item);
  }
  return found;
}

/** What an interface has addresses of: two with the same text can stand in for each other as source. */
function reachText({ device, address }: VirtualAddress): string {
  return `${device} ${ipFamily(address)} ${isLinkLocal(address) ? 'link-local' : ''}`;
}

/** `reachText` of the interfaces that have an address which is nobody's virtual IP. */
function ownReach(
  seen: readonly ObjectSeen[],
  wants: ReadonlyMap<string, ObjectWanted>,
): ReadonlySet<string> {
  return new Set(
    seen.flatMap(({ object }) =>
      object.kind === 'address' && !wants.has(objectText(object)) ? [reachText(object)] : [],
    ),
  );
}

/**
 * Whether it is taken away where its instance is not master. The last address of the interface that the instance sends
 * from is not, unless we made it: it is the director's own, named as a virtual IP by mistake, and without it nobody would
 * reach the director.
 */
function mayGo({ object, protocol }: ObjectSeen, own: ReadonlySet<string>): boolean {
  return object.kind !== 'address' || protocol === LVSENTRY_PROTOCOL || own.has(reachText(object));
}

function operationsFor(
  item: ObjectWanted,
  there: readonly ObjectSeen[],
  wasHeld: boolean,
  own: ReadonlySet<string>,
): ObjectOperation[] {
  if (item.want === 'present') return present(item, there, wasHeld);
  if (item.native) return [];
  return there
    .filter((seen) => wasHeld || item.keepLast !== true || mayGo(seen, own))
    .map(({ object }) => ({ kind: 'remove', instance: item.instance, object, cause: 'not-master' }));
}

/**
 * @param wanted every object of every instance, present or absent
 * @param seen every object of the interfaces and tables concerned, whoever made it
 * @param held `objectText` of what the last operations left in place; tells a put-back from a first time
 * @returns removals first (rules, routes, addresses), then the rest (addresses, routes, rules)
 */
export function diffObjects(
  wanted: readonly ObjectWanted[],
  seen: readonly ObjectSeen[],
  held: ReadonlySet<string>,
): ObjectOperation[] {
  const there = groupSeen(seen);
  const wants = strongest(wanted);
  const own = ownReach(seen, wants);
  const operations = [...wants].flatMap(([key, item]) =>
    operationsFor(item, there.get(key) ?? [], held.has(key), own),
  );
  for (const [key, items] of there) {
    if (wants.has(key)) continue;
    for (const { object, protocol } of items) {
      if (protocol !== LVSENTRY_PROTOCOL) continue;
      operations.push({ kind: 'remove', instance: undefined, object, cause: 'leftover' });
    }
  }
  const removals = operations.filter(({ kind }) => kind === 'remove').sort((a, b) => byKind(b, a));
  const others = operations.filter(({ kind }) => kind !== 'remove').sort(byKind);
  return [...removals, ...others];
}
