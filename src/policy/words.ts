/** Why a server stands as it does, in words that follow its name. */
import { unreachable } from '../core/assert.js';
import type { Standing } from './model.js';

/** `is brought back: weight 3 of 10` */
export function standingText(standing: Standing): string {
  switch (standing.kind) {
    case 'serving':
      return 'serves';
    case 'unknown':
      return 'has no verdict yet';
    case 'down':
      return 'is down';
    case 'admission':
      return `is brought back: weight ${standing.weight} of ${standing.of}`;
    case 'admin':
      return `is ${standing.state} by ${standing.by}`;
    case 'quorum-lost':
      return 'is up, but too few are: the fallback serves';
    case 'reserve':
      return 'is a fallback that is not needed';
    case 'fallback':
      return 'serves as fallback';
    default:
      return unreachable(standing);
  }
}
