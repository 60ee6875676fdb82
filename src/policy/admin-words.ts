/** What is said of servers, and how drains go on, in words and as data. */
import { unreachable } from '../core/assert.js';
import type { EpochMillis } from '../core/units.js';
import { destText } from '../ipvs/keys.js';
import { totalOf } from './drain.js';
import type { Connections } from './model.js';
import type { AdminNews, Place } from './news.js';

/** `web1 (192.0.2.2:80) of web`, or without the name where there is none. */
export function placeText({ service, server }: Place): string {
  const endpoint = destText(server.dest.key);
  return `${server.name === endpoint ? endpoint : `${server.name} (${endpoint})`} of ${service.name}`;
}

const timeText = (at: EpochMillis): string => new Date(at).toISOString();

function countText(count: number, one: string): string {
  return `${count} ${count === 1 ? one : `${one}s`}`;
}

/** `5 connections (3 active, 2 inactive) and 1 persistent client` */
export function leftText(left: Connections): string {
  const { active, inactive, persistent } = left;
  const words: string[] = [];
  if (active + inactive > 0 || persistent === 0)
    words.push(`${countText(active + inactive, 'connection')} (${active} active, ${inactive} inactive)`);
  if (persistent > 0) words.push(countText(persistent, 'persistent client'));
  return words.join(' and ');
}

const STICKY =
  'persistent clients keep coming back to it while they have connections and the time-out after, ' +
  'unless net.ipv4.vs.expire_quiescent_template is 1';

function isPersistent({ service }: Place): boolean {
  return service.entries.some(({ settings }) => settings.persistence !== undefined);
}

function startedText(news: AdminNews): string {
  const { deadline, finish } = news.entry;
  const words = [`${placeText(news)} is draining by ${news.by}: no new clients`];
  if (deadline !== undefined) words.push(`given up at ${timeText(deadline)}, whatever is left`);
  if (finish === 'disabled') words.push('disabled after that');
  if (isPersistent(news)) words.push(STICKY);
  return words.join('; ');
}

function finishedText(news: AdminNews): string {
  const left = news.admin?.drain?.left;
  const then = news.entry.state === 'disabled' ? '; it is disabled now' : '';
  if (news.how === 'empty') return `${placeText(news)} is drained: nothing is left${then}`;
  const what = left === undefined ? 'what is left was not seen' : `${leftText(left)} left`;
  return `${placeText(news)}: the deadline of its drain has come, ${what}${then}`;
}

/** What others say of it still. */
function staysText({ admin }: AdminNews): string {
  const effective = admin?.effective;
  if (effective === undefined || effective.state === 'enabled') return '';
  return `; it stays ${effective.state} by ${effective.by}`;
}

function weightText(news: AdminNews): string {
  const its = `the weight of ${placeText(news)}`;
  const configured = news.server.dest.settings.weight;
  const set = news.admin?.effective.weight;
  if (set === undefined) return `${its} is the configured ${configured} again, by ${news.by}`;
  return `${its} is ${set} by ${news.by}, in place of the configured ${configured}${staysText(news)}`;
}

function text(news: AdminNews): string {
  switch (news.what) {
    case 'drain-started':
      return startedText(news);
    case 'drain-progress': {
      const left = news.admin?.drain?.left;
      const sticky = left !== undefined && left.persistent > 0 ? `; ${STICKY}` : '';
      return `${placeText(news)} is draining: ${left === undefined ? '' : leftText(left)} left${sticky}`;
    }
    case 'drain-finished':
      return finishedText(news);
    case 'drain-undone':
      return `the drain of ${placeText(news)} was undone by ${news.by}${staysText(news)}`;
    case 'server-disabled':
      return `${placeText(news)} is disabled by ${news.by}: it is taken out of the table`;
    case 'server-enabled':
      return `${placeText(news)} is enabled by ${news.by}${staysText(news)}`;
    case 'weight-set':
      return weightText(news);
    default:
      return unreachable(news.what);
  }
}

/** One sentence, with the reason where one was given. */
export function adminText(news: AdminNews): string {
  const { reason } = news.entry;
  const said = news.what === 'drain-started' || news.what === 'server-disabled' || news.what === 'weight-set';
  return said && reason !== undefined ? `${text(news)} (${reason})` : text(news);
}

/** The same as data. */
export function adminFacts({ entry, by, admin, how }: AdminNews): Readonly<Record<string, unknown>> {
  const left = admin?.drain?.left;
  return {
    by,
    ...(entry.reason === undefined ? {} : { reason: entry.reason }),
    state: admin?.effective.state ?? 'enabled',
    weight: admin?.effective.weight ?? null,
    ...(entry.state === 'draining' && entry.deadline !== undefined
      ? { deadline: timeText(entry.deadline) }
      : {}),
    ...(how === undefined ? {} : { how }),
    ...(left === undefined ? {} : { ...left, left: totalOf(left) }),
  };
}
