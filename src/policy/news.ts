/** What the book has to tell, as data. */
import type { VerdictChange } from '../checks/model.js';
import type { ServerConfig, ServiceConfig } from '../config/model.js';
import type { ServiceStanding } from './model.js';

export type PolicyNews =
  | {
      readonly kind: 'verdict';
      readonly service: ServiceConfig;
      readonly server: ServerConfig;
      readonly change: VerdictChange;
    }
  /** Servers whose first verdict was waited for long enough: what their checks assume counts. */
  | {
      readonly kind: 'cold-start';
      readonly service: ServiceConfig;
      readonly servers: readonly ServerConfig[];
    }
  /** The quorum is lost, or met again. */
  | { readonly kind: 'quorum'; readonly service: ServiceConfig; readonly standing: ServiceStanding }
  /** A fallback serves, another one, or none any more. */
  | { readonly kind: 'fallback'; readonly service: ServiceConfig; readonly standing: ServiceStanding };

/** What is news of a service. That it has its quorum at the start is none. */
export function standingNews(
  service: ServiceConfig,
  before: ServiceStanding | undefined,
  standing: ServiceStanding,
): readonly PolicyNews[] {
  const news: PolicyNews[] = [];
  const told = before?.quorum ?? 'met';
  if (standing.quorum !== undefined && standing.quorum !== told)
    news.push({ kind: 'quorum', service, standing });
  if (standing.tier !== before?.tier) news.push({ kind: 'fallback', service, standing });
  return news;
}
