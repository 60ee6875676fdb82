/** JSON pointers (RFC 6901): a place in a document. */

/** The text of a pointer: empty, or members and indices, each behind a slash; `~1` is a slash, `~0` a tilde. */
export const JSON_POINTER_PATTERN = '^(/([^/~]|~[01])*)*$';

/** The value to which a pointer leads; undefined where there is nothing. @param pointer fits JSON_POINTER_PATTERN */
export function valueAt(document: unknown, pointer: string): unknown {
  let value = document;
  for (const token of pointer.split('/').slice(1)) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
    value = memberOf(value, name);
  }
  return value;
}

function memberOf(value: unknown, name: string): unknown {
  // RFC 6901 4: an index has no leading zeros; `-` is the element behind the last, which is never there.
  if (Array.isArray(value))
    return /^(?:0|[1-9]\d*)$/.test(name) ? (value[Number(name)] as unknown) : undefined;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
