const PLAIN_KEY = /^[A-Za-z0-9_-]+$/;

/** `services.web.servers[0]`: a path as people write it; keys with other characters stand in quotes. */
export function pathText(parent: string, key: string | number): string {
  if (typeof key === 'number') return `${parent}[${key}]`;
  const short = key.length <= 64 ? key : `${key.slice(0, 61)}...`;
  const shown = PLAIN_KEY.test(key) ? short : JSON.stringify(short);
  return parent === '' ? shown : `${parent}.${shown}`;
}
