/**
 * Dialogues of directors as text: commands with their expected output, in files of test/scenarios. The network is
 * perfect and takes no time, so that every number can be checked by hand.
 *
 *   version 2 | links 2           before the directors
 *   director NAME key=value ...   priority interval preempt preempt-delay startup-delay failback-delay ready
 *   run DURATION                  everything that happens meanwhile; regular adverts are only counted
 *   state                         who is what, and until when
 *   cut A B, isolate A, mend      one way from A to B; A from all; everything
 *   pause A, resume A [lost]      SIGSTOP and SIGCONT; lost: what was sent to it meanwhile is gone
 *   kill A, stop A, start A       SIGKILL, SIGTERM, a new process
 *   unplug A, plug A              the cable, seen as a fault
 *   priority A N                  as by tracking
 *   hear A priority=N from=IP interval=DURATION    an advert of nobody in the play
 */
import { ip } from '../../src/core/ip.js';
import { millis, parseDuration } from '../../src/core/units.js';
import { nextDeadline, wantsMaster } from '../../src/vrrp/fsm.js';
import type { VrrpEffect, VrrpEvent } from '../../src/vrrp/model.js';
import { effectWord } from '../vrrp/build.js';
import type { Director, Instance } from './director.js';
import type { DirectorSpec, Disturbance } from './scenario.js';
import { World } from './world.js';

const FOR_EVER = Number.POSITIVE_INFINITY;

type Options = ReadonlyMap<string, string>;

function optionsOf(words: readonly string[]): Options {
  return new Map(
    words.map((word) => {
      const [key = '', value = ''] = word.split('=');
      return [key, value];
    }),
  );
}

function duration(text: string | undefined): number {
  const parsed = text === undefined ? undefined : parseDuration(text);
  if (parsed === undefined) throw new Error(`not a duration: ${text}`);
  return parsed;
}

function specOf(name: string, options: Options): DirectorSpec {
  const time = (key: string): number => (options.has(key) ? duration(options.get(key)) : 0);
  return {
    name,
    priority: Number(options.get('priority') ?? 100),
    interval: millis(options.has('interval') ? time('interval') : 1000),
    preempt: options.get('preempt') !== 'no',
    preemptDelay: millis(time('preempt-delay')),
    startupDelay: millis(time('startup-delay')),
    failbackDelay: millis(time('failback-delay')),
    waitReady: options.has('ready'),
    readyAfter: time('ready'),
    startAt: time('start'),
    drift: 0,
  };
}

/** Milliseconds as seconds, without zeros that say nothing. */
function seconds(value: number): string {
  return String(Number((value / 1000).toFixed(6)));
}

class Theatre {
  #version: 2 | 3 = 3;
  #links: 1 | 2 = 1;
  readonly #specs: DirectorSpec[] = [];
  #world: World | undefined;
  #lines: string[] = [];
  readonly #beats = new Map<string, number>();
  readonly #troubles = new Map<string, Disturbance>();

  /** What one command says. */
  say(command: string): string[] {
    this.#lines = [];
    this.#beats.clear();
    const [verb = '', ...words] = command.trim().split(/\s+/);
    this.#do(verb, words);
    const beats = [...this.#beats].map(([name, count]) => `${name} ${count}`);
    return [...this.#lines, ...(beats.length > 0 ? [`regular adverts: ${beats.join(', ')}`] : [])];
  }

  #do(verb: string, words: readonly string[]): void {
    const [first = '', second = ''] = words;
    if (verb === 'version') this.#version = first === '2' ? 2 : 3;
    else if (verb === 'links') this.#links = first === '2' ? 2 : 1;
    else if (verb === 'director') this.#specs.push(specOf(first, optionsOf(words.slice(1))));
    else if (verb === 'run') this.#open().run(this.#open().now + duration(first));
    else if (verb === 'state') this.#state();
    else if (verb === 'hear') this.#hear(first, optionsOf(words.slice(1)));
    else if (verb === 'mend') this.#mend();
    else if (verb === 'priority') this.#open().setPriority(this.#director(first), Number(second));
    else this.#trouble(verb, first, second);
  }

  #open(): World {
    if (this.#world === undefined) {
      const world = new World({
        ...{ seed: 0, duration: FOR_EVER, version: this.#version, links: this.#links, calm: 0 },
        ...{ directors: this.#specs, disturbances: [] },
      });
      world.observer = {
        heard: () => undefined,
        settled: () => undefined,
        disturbed: () => undefined,
        stepped: (director, instance, event, effects) => this.#note(director, instance, event, effects),
      };
      this.#world = world;
    }
    return this.#world;
  }

  #director(name: string): Director {
    const director = this.#open().directors.find(({ spec }) => spec.name === name);
    if (director === undefined) throw new Error(`no director ${name}`);
    return director;
  }

  #nameOf(director: Director, instance: Instance): string {
    return this.#links === 2 ? `${director.spec.name}/${instance.link}` : director.spec.name;
  }

  #note(
    director: Director,
    instance: Instance,
    event: VrrpEvent | undefined,
    effects: readonly VrrpEffect[],
  ): void {
    const name = this.#nameOf(director, instance);
    const [only] = effects;
    if (event?.kind === 'timer' && effects.length === 1 && only?.kind === 'send-advert') {
      this.#beats.set(name, (this.#beats.get(name) ?? 0) + 1);
    } else if (effects.length > 0) {
      this.#lines.push(`${seconds(this.#open().now)} ${name}: ${effects.map(effectWord).join(', ')}`);
    }
  }

  #state(): void {
    const world = this.#open();
    for (const director of world.directors) {
      for (const instance of director.instances) {
        const { state, addresses } = instance;
        const deadline = nextDeadline(state);
        const left = deadline === undefined ? 'no timer' : seconds(deadline - director.local(world.now));
        const power = director.power === 'on' ? '' : ` (${director.power})`;
        const kind = wantsMaster(state) ? 'backup, wants to be master' : state.kind;
        const has = addresses ? ', has the addresses' : '';
        this.#lines.push(
          `${this.#nameOf(director, instance)}${power}: ${kind}, priority ${state.standing.priority}, ${left}${has}`,
        );
      }
    }
  }

  #hear(name: string, options: Options): void {
    const director = this.#director(name);
    const [instance] = director.instances;
    if (instance === undefined) return;
    this.#open().give(director, instance, {
      kind: 'advert',
      priority: Number(options.get('priority')),
      source: ip(options.get('from') ?? '10.0.0.200'),
      interval: millis(options.has('interval') ? duration(options.get('interval')) : 1000),
    });
  }

  #trouble(verb: string, first: string, second: string): void {
    const world = this.#open();
    const director = this.#director(first);
    const { index } = director;
    const when = { at: world.now, until: FOR_EVER };
    if (verb === 'cut')
      this.#begin(
        { ...when, kind: 'cut', from: index, to: this.#director(second).index },
        `${first} ${second}`,
      );
    else if (verb === 'isolate') this.#begin({ ...when, kind: 'partition', side: [index] }, first);
    else if (verb === 'unplug') this.#begin({ ...when, kind: 'unplug', director: index }, `cable ${first}`);
    else if (verb === 'plug') this.#end(`cable ${first}`);
    else if (verb === 'stop') world.begin({ ...when, kind: 'stop', director: index });
    else if (verb === 'kill') world.kill(director);
    else if (verb === 'start') world.start(director);
    else if (verb === 'pause') world.pause(director);
    else if (verb === 'resume') world.resume(director, second !== 'lost');
    else throw new Error(`no command ${verb}`);
  }

  #begin(trouble: Disturbance, name: string): void {
    this.#troubles.set(name, trouble);
    this.#open().begin(trouble);
  }

  #end(name: string): void {
    const trouble = this.#troubles.get(name);
    if (trouble !== undefined) this.#open().end(trouble);
    this.#troubles.delete(name);
  }

  #mend(): void {
    for (const name of [...this.#troubles.keys()]) this.#end(name);
  }
}

const RULER = '----';

/** A transcript with its output made anew: comments and commands as they are. */
export function perform(transcript: string): string {
  const theatre = new Theatre();
  const blocks = transcript.trim().split(/\n{2,}/);
  return `${blocks.map((block) => performBlock(theatre, block)).join('\n\n')}\n`;
}

function performBlock(theatre: Theatre, block: string): string {
  const lines = block.split('\n');
  const ruler = lines.indexOf(RULER);
  const head = ruler < 0 ? lines : lines.slice(0, ruler);
  const commands = head.filter((line) => !line.startsWith('#'));
  if (commands.length === 0) return head.join('\n');
  const output = commands.flatMap((command) => theatre.say(command));
  return [...head, RULER, ...(output.length > 0 ? output : ['nothing'])].join('\n');
}
