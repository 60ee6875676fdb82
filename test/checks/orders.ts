/** How a test tells one of its workers what to do, past the pool. */
import { BroadcastChannel } from 'node:worker_threads';
import type { FromWorker } from '../../src/checks/protocol.js';

export type Order =
  | { readonly kind: 'throw' | 'exit' | 'hang' }
  | { readonly kind: 'say'; readonly message: FromWorker };

interface Addressed {
  readonly to: number;
  readonly order: Order;
}

const channelName = (): string => `lvsentry-test-${process.pid}`;

export function onOrder(worker: number, obey: (order: Order) => void): void {
  const channel = new BroadcastChannel(channelName());
  channel.unref();
  channel.onmessage = (event: unknown) => {
    const { to, order } = (event as { data: Addressed }).data;
    if (to === worker) obey(order);
  };
}

export function tell(worker: number, order: Order): void {
  const channel = new BroadcastChannel(channelName());
  channel.postMessage({ to: worker, order } satisfies Addressed);
  channel.close();
}
