/** What the API tells of the names of servers. */
import type { NameSource, NameTrouble, NameView } from '../names/model.js';
import { troubleText } from '../names.js';
import type { World } from '../world.js';

export interface NameStatus {
  readonly name: string;
  readonly family: NameView['family'];
  /** Of the services that have servers of this name. */
  readonly services: readonly string[];
  readonly addresses: readonly string[];
  /** Those of them that the last answer did not hold. */
  readonly missing: readonly string[];
  readonly source: NameSource;
  readonly answeredAt: string | null;
  readonly trouble: NameTrouble | null;
  readonly troubleSince: string | null;
  readonly why: string | null;
}

const isoTime = (at: number): string => new Date(at).toISOString();

function nameStatus({ config }: World, view: NameView): NameStatus {
  const { host, family, loopback, addresses, source, answeredAt, trouble } = view;
  const users = config.services.filter(({ names }) =>
    names?.some(
      ({ question }) =>
        question.host === host && question.family === family && question.loopback === loopback,
    ),
  );
  const missing = addresses.filter(({ missingSince }) => missingSince !== undefined);
  return {
    name: host,
    family,
    services: users.map(({ name }) => name),
    addresses: addresses.map(({ address }) => address),
    missing: missing.map(({ address }) => address),
    source,
    answeredAt: answeredAt === undefined ? null : isoTime(answeredAt),
    trouble: trouble?.kind ?? null,
    troubleSince: trouble === undefined ? null : isoTime(trouble.since),
    why: trouble === undefined ? null : `${troubleText(trouble.kind)} (${trouble.detail})`,
  };
}

/** In the order of the configuration. */
export function namesStatus(world: World): readonly NameStatus[] {
  return world.names.map((view) => nameStatus(world, view));
}
