/** Names of servers at work: the effective configuration follows them, and people are told. */
import type { Config } from './config/model.js';
import { unreachable } from './core/assert.js';
import type { Clock, Entropy, Timer, Timers } from './core/ports.js';
import { type EpochMillis, type Millis, millis, seconds } from './core/units.js';
import type { Happening } from './describe.js';
import { setAside } from './files/disk.js';
import type { IpvsTable } from './ipvs/model.js';
import { addressesInTable, EffectiveConfigs, mayGo, questionId, questionsOf } from './names/effective.js';
import { NameKeeper } from './names/keeper.js';
import type { NameNews, NameTrouble, NameView, RememberedName } from './names/model.js';
import type { LookUp } from './names/resolver.js';
import { NameFile, type RememberedNames, readNames } from './store/name-file.js';
import type { World } from './world.js';

/** Answers that come together change the configuration together. */
const GATHER = millis(20);
/** Answers that only confirm what is known are kept this often. */
const KEEP_EVERY = seconds(60);

/** Where the good answers are kept; undefined: they do not outlive a run. */
export function nameFilePath({ state }: Config): string | undefined {
  return state?.directory === undefined ? undefined : `${state.directory}/names.jsonl`;
}

/** What a start knows of names. */
export interface RecalledNames {
  readonly remembered: RememberedNames;
  /** What was wrong with what was kept; a sentence. */
  readonly problem: string | undefined;
  readonly guessed: ReturnType<typeof addressesInTable>;
}

const NOTHING: RecalledNames = { remembered: new Map(), problem: undefined, guessed: new Map() };

/**
 * What was kept of the names of a configuration, and what the table tells of the others.
 * @throws as `dump` (rejects)
 */
export async function recallNames(config: Config, table: Pick<IpvsTable, 'dump'>): Promise<RecalledNames> {
  if (questionsOf(config).size === 0) return NOTHING;
  const path = nameFilePath(config);
  const { names: remembered, problem } =
    path === undefined ? { names: NOTHING.remembered, problem: undefined } : await readNames(path);
  const known = new Map([...remembered].map(([id, { addresses }]) => [id, addresses]));
  const effective = new EffectiveConfigs().of(config, known);
  const isComplete = effective.services.every(({ awaited }) => awaited === undefined);
  const guessed = isComplete ? NOTHING.guessed : addressesInTable(effective, await table.dump(), known);
  if (problem === undefined || path === undefined) return { remembered, problem: undefined, guessed };
  return { remembered, problem: `${problem}; ${await setAside(path)}`, guessed };
}

export interface NameFollowerOptions {
  readonly config: Config;
  readonly recalled: RecalledNames;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly entropy: Entropy;
  readonly lookUp: LookUp;
  readonly world: () => World;
  /** Names have other addresses. */
  readonly adopt: (config: Config, why: readonly Happening[]) => void;
  readonly onState: (names: readonly NameView[]) => void;
  readonly tell: (happening: Happening) => void;
}

export class NameFollower {
  readonly #options: NameFollowerOptions;
  readonly #keeper: NameKeeper;
  readonly #file: NameFile | undefined;
  readonly #effective = new EffectiveConfigs();
  #config: Config;
  /** What is to be told when the configuration follows. */
  #gathered: Happening[] = [];
  #gathering: Timer | undefined;
  #noting: Timer | undefined;
  #keptAt: Millis | undefined;
  #closed = false;

  constructor(options: NameFollowerOptions) {
    const { config, recalled, clock, timers, entropy, lookUp } = options;
    this.#options = options;
    this.#config = config;
    this.#file = fileOf(options);
    this.#keeper = new NameKeeper({
      clock,
      timers,
      entropy,
      lookUp,
      mayGo: (id, gone, left) => {
        const { config: now, health } = options.world();
        return mayGo(now, id, { gone, left }, (server) => health.get(server)?.held);
      },
      onStep: (view, news) => this.#onStep(view, news),
    });
    this.#keeper.configure(config.resolve, questionsOf(config));
    this.#keeper.recall(recalled.remembered, recalled.guessed);
  }

  /** The configuration with the servers that its names stand for now. */
  effective(): Config {
    return this.#effective.of(this.#config, this.#keeper.addresses);
  }

  /** The same of another configuration, before it is in force: new names have what the table holds for them. */
  propose(config: Config): Config {
    const guessed = this.#guess(config);
    return this.#effective.of(config, { get: (id) => this.#keeper.addresses.get(id) ?? guessed.get(id) });
  }

  #guess(config: Config): RecalledNames['guessed'] {
    const { observed } = this.#options.world();
    const { addresses } = this.#keeper;
    return addressesInTable(this.#effective.of(config, addresses), observed ?? new Map(), addresses);
  }

  /** Takes over what a configuration names; what is new is looked up at once. */
  configure(config: Config): void {
    const guessed = this.#guess(config);
    this.#config = config;
    this.#keeper.configure(config.resolve, questionsOf(config));
    this.#keeper.recall(new Map(), guessed);
    this.#options.onState(this.#keeper.views());
  }

  /** Begins to ask. */
  start(): void {
    if (this.#closed) return;
    const { recalled, tell, onState } = this.#options;
    if (recalled.problem !== undefined) tell({ kind: 'state-trouble', message: recalled.problem });
    onState(this.#keeper.views());
    this.#keeper.start();
  }

  /** Asks nothing more; resolves when what is known is kept. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#gathering?.cancel();
    this.#noting?.cancel();
    this.#keeper.close();
    if (this.#keptAt !== undefined) this.#file?.keep(rememberedOf(this.#keeper.views()));
    await this.#file?.close();
  }

  #onStep(view: NameView, news: readonly NameNews[]): void {
    this.#noteSoon();
    const happenings = news.map((one) => nameHappening(view, one, this.#config));
    const isOther = news.some(({ kind }) => kind === 'name-changed');
    this.#keep(isOther);
    if (!isOther) for (const happening of happenings) this.#options.tell(happening);
    else {
      this.#gathered.push(...happenings);
      this.#gathering ??= this.#options.timers.after(GATHER, () => this.#adopt());
    }
  }

  /** Of thousands of names some are always answered: all of them are listed once for many answers. */
  #noteSoon(): void {
    this.#noting ??= this.#options.timers.after(GATHER, () => {
      this.#noting = undefined;
      this.#options.onState(this.#keeper.views());
    });
  }

  #adopt(): void {
    this.#gathering = undefined;
    this.#options.adopt(this.effective(), this.#gathered.splice(0));
  }

  #keep(isOther: boolean): void {
    const now = this.#options.clock.monotonic();
    if (!isOther && this.#keptAt !== undefined && now - this.#keptAt < KEEP_EVERY) return;
    this.#keptAt = now;
    this.#file?.keep(rememberedOf(this.#keeper.views()));
  }
}

function fileOf({ config, timers, tell }: NameFollowerOptions): NameFile | undefined {
  const path = nameFilePath(config);
  if (path === undefined) return undefined;
  const events = {
    onTrouble: (message: string) => tell({ kind: 'state-trouble', message }),
    onWell: (message: string) => tell({ kind: 'state-restored', message }),
  };
  return new NameFile({ path, director: config.name, timers, events });
}

function rememberedOf(views: readonly NameView[]): RememberedNames {
  const names = new Map<string, RememberedName>();
  for (const view of views) {
    const { answeredAt } = view;
    const addresses = view.addresses.map(({ address }) => address);
    if (answeredAt !== undefined && addresses.length > 0)
      names.set(questionId(view), { addresses, answeredAt });
  }
  return names;
}

/** Why there is no good answer, in one clause. */
export function troubleText(trouble: NameTrouble): string {
  switch (trouble) {
    case 'no-such-name':
      return 'no such name';
    case 'no-address':
      return 'it has no address of this family';
    case 'server-failure':
      return 'the resolver failed';
    case 'refused':
      return 'the resolver refuses to answer';
    case 'timeout':
      return 'no resolver answered in time';
    case 'unreachable':
      return 'no resolver can be asked';
    case 'malformed':
      return 'the answer cannot be read';
    case 'unusable':
      return 'no server can have the addresses of the answer';
    case 'nobody-up':
      return 'none of the addresses of the answer is up';
    default:
      return unreachable(trouble);
  }
}

const LISTED_MAX = 20;
const RECORDS = { ipv4: 'A', ipv6: 'AAAA' } as const;

const time = (at: EpochMillis): string => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');

function listText(texts: readonly string[]): string {
  const more = texts.length > LISTED_MAX ? ` and ${texts.length - LISTED_MAX} more` : '';
  return `${texts.slice(0, LISTED_MAX).join(', ')}${more}`;
}

/** What there is instead of a good answer. */
function restText({ addresses, source, answeredAt }: NameView, services: readonly string[]): string {
  const count = addresses.length === 1 ? 'its address stays' : `its ${addresses.length} addresses stay`;
  if (addresses.length === 0)
    return `no address of it is known, and ${listText(services)} goes without its servers`;
  if (source === 'table' || answeredAt === undefined) return `${count} as the table had them at the start`;
  return `${count} as of ${time(answeredAt)}`;
}

/** What is told of a name. */
function nameHappening(view: NameView, news: NameNews, { services }: Config): Happening {
  const { host, family } = view;
  const id = questionId(view);
  const its = services.filter(({ names }) => names?.some(({ question }) => questionId(question) === id));
  const users = its.map(({ name }) => name);
  const addresses = view.addresses.slice(0, LISTED_MAX).map(({ address }) => address);
  const facts = {
    name: host,
    family,
    services: users.slice(0, LISTED_MAX),
    addresses,
    count: view.addresses.length,
  };
  const what = `${host} (${RECORDS[family]})`;
  if (news.kind === 'name-resolved')
    return { kind: news.kind, message: `${what} is looked up again without trouble`, facts };
  if (news.kind === 'name-trouble') {
    const message = `${what}: ${troubleText(news.trouble)} (${news.detail}); ${restText(view, users)}`;
    return { kind: news.kind, message, facts: { ...facts, trouble: news.trouble } };
  }
  const { came, left } = news;
  const texts = [
    ...(came.length === 0 ? [] : [`new ${listText(came)}`]),
    ...(left.length === 0 ? [] : [`gone ${listText(left)}`]),
  ];
  return {
    kind: news.kind,
    message: `${what} has other addresses, and with them ${listText(users)}: ${texts.join('; ')}`,
    facts: { ...facts, came: came.slice(0, LISTED_MAX), left: left.slice(0, LISTED_MAX) },
  };
}
