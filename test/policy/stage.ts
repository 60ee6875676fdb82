/**
 * Dialogues with the book as text: a configuration, then commands with their expected output, in files of
 * test/scenarios. Servers are called by name, in every service that has them, or as `service/server`.
 *
 *   up A B, down A B          verdicts of one turn
 *   broken A B                down, because of what they answer
 *   fail A B, pass A B        probes, before there is a verdict
 *   run DURATION              everything that becomes due meanwhile
 *   drain A, disable A, enable A
 *   reload SERVICE KEY VALUE  the same configuration but for one key of a service
 *
 * What is said: events as the operator reads them, then the table where it changed: name and weight of each server,
 * with what keeps it there or away where that is not its health.
 */
import type { CheckId } from '../../src/checks/model.js';
import type { Config } from '../../src/config/model.js';
import { epochMillis, millis, parseDuration } from '../../src/core/units.js';
import { newsHappening } from '../../src/describe.js';
import { type Outcome, PolicyBook } from '../../src/policy/book.js';
import type { AdminEntry, Standing } from '../../src/policy/model.js';
import type { PolicyNews } from '../../src/policy/news.js';
import { configOf } from '../config/given.js';
import { change } from '../ipvs/build.js';
import { admin } from './build.js';

const PLAIN: readonly string[] = ['serving', 'down', 'unknown', 'reserve'];

function standingWord(standing: Standing | undefined): string {
  if (standing === undefined || PLAIN.includes(standing.kind)) return '';
  return standing.kind === 'held' ? ` ${standing.rail}` : ` ${standing.kind}`;
}

class Stage {
  readonly #book = new PolicyBook();
  readonly #text: string;
  #config: Config;
  #now = 0;
  #table = '';

  constructor(text: string) {
    this.#text = text;
    this.#config = configOf(text);
    this.#book.configure(this.#config, this.#at());
  }

  say(command: string): readonly string[] {
    const [verb = '', ...words] = command.trim().split(/\s+/);
    const lines = this.#do(verb, words);
    const table = this.#tableText();
    if (table !== this.#table) lines.push(...table.split('\n'));
    this.#table = table;
    return lines.length === 0 ? ['nothing'] : lines;
  }

  #do(verb: string, words: readonly string[]): string[] {
    switch (verb) {
      case 'up':
      case 'down': {
        const previous = verb === 'up' ? 'down' : 'up';
        const changes = this.#ids(words).map((id) => ({
          ...change(id, verb, previous),
          at: epochMillis(this.#now),
        }));
        return this.#told(this.#book.verdict(changes, this.#at()));
      }
      case 'broken': {
        const reason = { kind: 'bad-status', status: 500 } as const;
        const changes = this.#ids(words).map((id) => {
          const one = change(id, 'down', 'up');
          return { ...one, at: epochMillis(this.#now), result: { ...one.result, reason } };
        });
        return this.#told(this.#book.verdict(changes, this.#at()));
      }
      case 'fail':
      case 'pass': {
        const reason = verb === 'fail' ? ({ kind: 'timeout', phase: 'connect' } as const) : undefined;
        const suspicions = this.#ids(words).map((id) => ({ id, reason }));
        return this.#told(this.#book.suspect(suspicions, this.#at()));
      }
      case 'drain':
        return this.#administer(words, admin('draining'));
      case 'disable':
        return this.#administer(words, admin('disabled'));
      case 'enable':
        return this.#administer(words, undefined);
      case 'run':
        return this.#run(words[0] ?? '');
      case 'reload':
        return this.#reload(words);
      default:
        throw new Error(`no command ${verb}`);
    }
  }

  #at() {
    return { now: millis(this.#now), wall: epochMillis(this.#now) };
  }

  #ids(words: readonly string[]): readonly CheckId[] {
    const all = this.#config.services.flatMap((service) =>
      [...service.servers, ...service.fallback.flat()].map(({ name }) => `${service.name}/${name}`),
    );
    const canaries = this.#config.massFailure?.canaries.map(({ check }) => check.id) ?? [];
    all.push(...canaries);
    const ids = words.flatMap((word) => all.filter((id) => id === word || id.endsWith(`/${word}`)));
    if (ids.length === 0) throw new Error(`no server ${words.join(' ')}`);
    return ids;
  }

  #told({ news }: Pick<Outcome, 'news'>): string[] {
    // That a server is down stands in the command.
    return news.filter(({ kind }) => kind !== 'verdict').map((one) => this.#line(one));
  }

  #line(news: PolicyNews): string {
    const { kind, message } = newsHappening(news);
    return `${this.#now / 1000} ${kind}: ${message}`;
  }

  #administer(words: readonly string[], entry: AdminEntry | undefined): string[] {
    const source = 'operator';
    const said = this.#ids(words).map((server) => ({ server, source, entry }) as const);
    return this.#told(this.#book.administer(said, this.#at()));
  }

  #run(word: string): string[] {
    const time = parseDuration(word);
    if (time === undefined) throw new Error(`not a duration: ${word}`);
    const end = this.#now + time;
    const lines: string[] = [];
    for (;;) {
      const { due } = this.#book;
      if (due === undefined || due > end) break;
      this.#now = Math.max(this.#now, due);
      lines.push(...this.#told(this.#book.tick(this.#at())));
    }
    this.#now = end;
    return lines;
  }

  #reload([service, key, value]: readonly string[]): string[] {
    const line = new RegExp(`(  ${service}:\n(?:    .*\n)*?    ${key}: ).*`);
    if (!line.test(this.#text)) throw new Error(`no ${key} of ${service}`);
    this.#config = configOf(this.#text.replace(line, `$1${value}`));
    return this.#told({ news: this.#book.configure(this.#config, this.#at()) });
  }

  #tableText(): string {
    const lines: string[] = [];
    const standings = this.#book.view().standings;
    for (const { name, servers } of this.#book.desired.values()) {
      const its = standings.get(name)?.servers;
      const words = [...servers.values()].flatMap(({ server, want }) => {
        const word = standingWord(its?.get(`${name}/${server}`));
        if (want.kind === 'hold') return [word === ' leaving' ? `${server} 0${word}` : `${server} ?`];
        return want.kind === 'absent' ? [] : [`${server} ${want.dest.settings.weight}${word}`];
      });
      lines.push(`  ${name}: ${words.join(', ') || 'empty'}`);
    }
    return lines.join('\n');
  }
}

const RULER = '----';

/** A transcript with its output made anew: comments, configuration and commands as they are. */
export function perform(transcript: string): string {
  const [head = '', ...blocks] = `${transcript.trim()}\n`.split(/\n={4,}\n\n?|\n{2,}(?=[^\n]*\n----\n)/);
  const yaml = head.replace(/^#.*\n/gm, '');
  const stage = new Stage(`${yaml}\n`);
  const played = blocks.map((block) => {
    const command = block.split('\n')[0] ?? '';
    return `${command}\n${RULER}\n${stage.say(command).join('\n')}`;
  });
  return `${head}\n====\n\n${played.join('\n\n')}\n`;
}
