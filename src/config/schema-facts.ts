/** What the rules and the fault texts need to know of the schema, read from it so that it cannot differ. */
import type { CheckType } from '../checks/model.js';
import { SCHEMA_JSON } from './schema.generated.js';

/** The parts of a subschema that are read outside the validator. */
export interface Subschema {
  /** Completes the sentence "... is not". */
  readonly 'x-expects'?: string;
  readonly 'x-duration'?: unknown;
  /** The value never stands in a fault. */
  readonly 'x-secret'?: boolean;
  readonly type?: unknown;
  readonly enum?: readonly (string | number)[];
  readonly maxProperties?: number;
  readonly const?: string;
  readonly properties?: Readonly<Record<string, Subschema>>;
  readonly oneOf?: readonly Subschema[];
  readonly then?: Subschema;
}

interface RootSchema extends Subschema {
  readonly definitions: { readonly check: Subschema };
}

const SCHEMA = JSON.parse(SCHEMA_JSON) as RootSchema;

/** Of one file. */
export const SERVICES_MAX = SCHEMA.properties?.services?.maxProperties ?? 0;

const typed = (SCHEMA.definitions.check.then?.oneOf ?? []).map((schema) => schema.properties ?? {});

/** The keys of each type of check, those that all types share included. */
export const CHECK_KEYS: ReadonlyMap<CheckType, readonly string[]> = new Map(
  typed.map((keys) => [keys.type?.const as CheckType, Object.keys(keys)]),
);

/**
 * `it belongs to http and https checks; this check is tcp`, or what is shorter; empty where the key belongs to no check.
 */
export function wrongTypeText(key: string, type: CheckType): string {
  const owners = [...CHECK_KEYS].filter(([, keys]) => keys.includes(key)).map(([owner]) => owner);
  if (owners.length > CHECK_KEYS.size / 2) return `${type} checks have no \`${key}\``;
  return owners.length === 0 ? '' : `it belongs to ${owners.join(' and ')} checks; this check is ${type}`;
}
