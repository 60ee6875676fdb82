/** Ethernet addresses as canonical text (`00:00:5e:00:01:33`), branded. */
import { LvsError } from './errors.js';

declare const macBrand: unique symbol;
/** Six bytes in lower-case hexadecimal with colons. Made only by this file. */
export type Mac = string & { readonly [macBrand]: true };

export const MAC_LENGTH = 6;

const MAC_PATTERN = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/** @throws MALFORMED for anything but six bytes. */
export function macFromBytes(bytes: Uint8Array): Mac {
  if (bytes.length !== MAC_LENGTH) {
    throw new LvsError('MALFORMED', `an Ethernet address has ${MAC_LENGTH} bytes, not ${bytes.length}`);
  }
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':') as Mac;
}

/** Reads an address with colons, in any case; undefined where it is none. */
export function parseMac(text: string): Mac | undefined {
  const lower = text.toLowerCase();
  return MAC_PATTERN.test(lower) ? (lower as Mac) : undefined;
}

/** Reads an address that the program itself wrote. @throws MALFORMED where it is none. */
export function mac(text: string): Mac {
  const parsed = parseMac(text);
  if (parsed === undefined) throw new LvsError('MALFORMED', `not an Ethernet address: ${text}`);
  return parsed;
}

export function macBytes(address: Mac): Uint8Array {
  return Uint8Array.from(address.split(':'), (byte) => Number.parseInt(byte, 16));
}
