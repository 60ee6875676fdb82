/** Much bad luck, another in every run: `npm run test:soak`. */
import { chaos } from '../chaos/chaos.js';

export const suite = chaos({ kills: 200, deeds: 400, stormSeconds: 120, seed: Date.now() >>> 0 });
