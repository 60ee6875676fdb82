/** What Redis says of its replication. Source: the command INFO, section `replication`. */

export type Replication =
  | { readonly role: 'master' }
  | {
      readonly role: 'replica';
      /** Its connection to its master stands. */
      readonly linked: boolean;
      /** Since its master was last heard, the master's pings included; undefined while it is not linked. */
      readonly silentSeconds: number | undefined;
    };

/** Reads the answer to INFO; undefined where it does not say what the server is. */
export function readReplication(info: string): Replication | undefined {
  const fields = new Map(
    info.split(/\r?\n/).map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, Math.max(colon, 0)), line.slice(colon + 1)] as const;
    }),
  );
  switch (fields.get('role')) {
    case 'master':
      return { role: 'master' };
    case 'slave': {
      const linked = fields.get('master_link_status') === 'up';
      const seconds = /^\d{1,9}$/.exec(fields.get('master_last_io_seconds_ago') ?? '');
      return { role: 'replica', linked, silentSeconds: seconds === null ? undefined : Number(seconds[0]) };
    }
    default:
      return undefined;
  }
}
