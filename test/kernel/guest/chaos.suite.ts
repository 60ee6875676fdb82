/** A little bad luck, the same in every run. `soak` is the same for an hour. */
import { chaos } from '../chaos/chaos.js';

export const suite = chaos({ kills: 10, deeds: 15, stormSeconds: 5, seed: 20_260 });
