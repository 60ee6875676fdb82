/** What there is to be done to the live table, and what of it is let be. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorText } from '../core/errors.js';
import type { Drift } from '../ipvs/drift.js';
import { foreignTexts } from '../ipvs/foreign.js';
import { timeoutDriftText } from '../ipvs/timeout-drift.js';
import {
  type Change,
  changeOf,
  type SyncChange,
  syncChangeOf,
  type TimeoutsChange,
  timeoutsChangeOf,
} from '../plan-words.js';
import { sendError } from './failure.js';
import type { ApiSource, KernelPreview } from './source.js';

export interface LeftStatus {
  readonly service: string | null;
  readonly server: string | null;
  readonly kind: string;
  readonly policy: string;
  readonly difference: string;
}

export interface PlanStatus {
  readonly lastDumpAt: string;
  readonly changes: readonly Change[];
  readonly left: readonly LeftStatus[];
  readonly sync: readonly SyncChange[];
  readonly timeouts: TimeoutsChange | null;
  readonly foreign: readonly string[];
}

function leftOf({ service, server, kind, policy, difference }: Drift): LeftStatus {
  return { service, server: server ?? null, kind, policy, difference };
}

/** What is let stand of what is the whole kernel's. */
function besideLeft({ sync, timeouts }: KernelPreview): readonly LeftStatus[] {
  const nobody = { service: null, server: null };
  return [
    ...sync.left.map(({ policy, difference }) => ({ ...nobody, kind: 'sync', policy, difference })),
    ...timeouts.left.map((left) => {
      return { ...nobody, kind: 'timeouts', policy: left.policy, difference: timeoutDriftText(left) };
    }),
  ];
}

/** @param at when the table was read */
function planStatus(at: number, preview: KernelPreview): PlanStatus {
  const { plan, left, foreign, sync, timeouts } = preview;
  return {
    lastDumpAt: new Date(at).toISOString(),
    changes: plan.map(changeOf),
    left: [...left.map(leftOf), ...besideLeft(preview)],
    sync: sync.steps.map(syncChangeOf),
    timeouts: timeoutsChangeOf(timeouts.set),
    foreign: foreignTexts(foreign),
  };
}

/** `GET /v1/plan` */
export async function planAnswer(
  source: ApiSource,
  _request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  try {
    const preview = await source.preview();
    const body = JSON.stringify(planStatus(source.clock.wall(), preview));
    return reply.type('application/json; charset=utf-8').send(body);
  } catch (thrown) {
    return sendError(reply, 503, 'TABLE', `the table cannot be read: ${errorText(thrown)}`);
  }
}
