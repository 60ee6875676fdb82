/** What the scene shows of rails, and of the requests meanwhile. */
import type { Assertions } from '../../contract/assertions.js';
import type { Scene } from '../scene.js';

/** `NAME VERDICT` of every server that is held, in the order of the configuration. */
export async function heldBy(scene: Scene): Promise<string[]> {
  const { servers } = await scene.web();
  return servers
    .filter(({ standing }) => standing === 'held')
    .map(({ name, verdict }) => `${name} ${verdict}`);
}

/** Watches new requests from now on. */
export function requestsSince({ observer }: Scene): { readonly noneFailed: (t: Assertions) => void } {
  const mark = observer.answers.length;
  return {
    noneFailed: (t) => {
      const answers = observer.answers.slice(mark);
      const failed = answers.filter(({ status }) => status !== 200).length;
      t.equal(failed, 0, `none of ${answers.length} new requests failed meanwhile`);
    },
  };
}
