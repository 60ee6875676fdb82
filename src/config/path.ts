const PLAIN_KEY = /^[A-Za-z0-9_-]+$/;

/** `services.web.servers[0]`: a path as people write it; keys with other characters stand in quotes. */
export function pathText(parent: string, key: string | number): string {
  if (typeof key === 'number') return `${parent}[${key}]`;
  const shown = PLAIN_KEY.test(key) ? key : JSON.stringify(key.slice(0, 64));
  return parent === '' ? shown : `${parent}.${shown}`;
}
