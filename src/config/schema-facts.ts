/** What the rules and the fault texts need to know of the schema, read from it so that it cannot differ. */
import type { CheckType } from '../checks/model.js';
import { SCHEMA_JSON } from './schema.generated.js';

/** A part of the schema, as its keywords are in JSON Schema and as ours are in schema-kit.ts. */
export interface Subschema {
  /** Completes the sentence "... is not". */
  readonly 'x-expects'?: string;
  /** Least and most. */
  readonly 'x-duration'?: readonly [string, string];
  /** The value never stands in a fault. */
  readonly 'x-secret'?: boolean;
  readonly type?: unknown;
  readonly enum?: readonly (string | number | boolean | null)[];
  readonly const?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Subschema>>;
  readonly additionalProperties?: boolean | Subschema;
  readonly required?: readonly string[];
  readonly maxProperties?: number;
  readonly propertyNames?: Subschema;
  readonly items?: Subschema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly if?: Subschema;
  readonly then?: Subschema;
  readonly else?: Subschema;
  readonly oneOf?: readonly Subschema[];
  readonly discriminator?: { readonly propertyName: string };
  readonly $ref?: string;
  readonly definitions?: Readonly<Record<string, Subschema>>;
}

/** What a configuration file must be. */
export const SCHEMA = JSON.parse(SCHEMA_JSON) as Subschema;

/** Of one file. */
export const SERVICES_MAX = SCHEMA.properties?.services?.maxProperties ?? 0;

const typed = (SCHEMA.definitions?.check?.then?.oneOf ?? []).map((schema) => schema.properties ?? {});

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
