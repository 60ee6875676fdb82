/** Questions to lvsentry's API. */
import { get } from 'node:http';
import { apiSocket } from './contenders.js';

/** What it answers. Rejects where nobody listens. */
export function ask<Answer>(folder: string, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = get({ socketPath: apiSocket(folder), path }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      answer.once('end', () => resolve(JSON.parse(text) as Answer));
    });
    request.once('error', reject);
  });
}

interface Counts {
  readonly services: readonly { readonly up: number }[];
}

/** How many servers it has a verdict up for; 0 while it does not listen. */
export async function upOf(folder: string): Promise<number> {
  const { services } = await ask<Counts>(folder, '/v1/services').catch((): Counts => ({ services: [] }));
  return services.reduce((sum, { up }) => sum + up, 0);
}
