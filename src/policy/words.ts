/** Why a server stands as it does, in words that follow its name. */
import { unreachable } from '../core/assert.js';
import type { Standing } from './model.js';

function heldText({ rail, limit }: Extract<Standing, { kind: 'held' }>): string {
  const few = limit === 1 ? '1 server serves' : `${limit} servers serve`;
  switch (rail) {
    case 'minimum-healthy':
      return `is down, but stays in so that ${few} (minimum-healthy)`;
    case 'maximum-removals':
      return `is down, but stays in for now: ${limit} were taken out within a minute (maximum-removals)`;
    case 'mass-failure':
      return 'is down, but stays in: most servers failed at once (mass-failure)';
    default:
      return unreachable(rail);
  }
}

/** `is brought back: weight 3 of 10` */
export function standingText(standing: Standing): string {
  switch (standing.kind) {
    case 'serving':
      return 'serves';
    case 'unknown':
      return 'has no verdict yet';
    case 'down':
      return 'is down';
    case 'weighted':
      return `serves with weight ${standing.weight} in place of ${standing.of}, as its checks say`;
    case 'admission':
      return `is brought back: weight ${standing.weight} of ${standing.of}`;
    case 'admin':
      return `is ${standing.state} by ${standing.by}`;
    case 'held':
      return heldText(standing);
    case 'set-aside':
      return 'is up, but most servers failed at once: the fallback serves';
    case 'quorum-lost':
      return 'is up, but too few are: the fallback serves';
    case 'reserve':
      return 'is a fallback that is not needed';
    case 'leaving':
      return 'is a fallback that is not needed any more: it finishes its connections';
    case 'fallback':
      return 'serves as fallback';
    default:
      return unreachable(standing);
  }
}
