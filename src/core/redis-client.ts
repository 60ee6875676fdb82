/**
 * How ioredis is told to leave trouble to us: nothing waits inside it, nothing comes back by itself, and it asks and tells
 * the server nothing that we did not.
 */
export const REDIS_CLIENT = {
  disableClientInfo: true,
  lazyConnect: true,
  retryStrategy: () => null,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  enableReadyCheck: false,
} as const;
