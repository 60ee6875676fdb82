/** What there is to be done to the live table, and what of it is let be. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorText } from '../core/errors.js';
import type { Preview } from '../ipvs/aims.js';
import { foreignTexts } from '../ipvs/foreign.js';
import { type Change, changeOf } from '../plan-words.js';
import { sendError } from './failure.js';
import type { ApiSource } from './source.js';

export interface LeftStatus {
  readonly service: string;
  readonly server: string | null;
  readonly kind: string;
  readonly policy: string;
  readonly difference: string;
}

export interface PlanStatus {
  readonly lastDumpAt: string;
  readonly changes: readonly Change[];
  readonly left: readonly LeftStatus[];
  readonly foreign: readonly string[];
}

/** @param at when the table was read */
function planStatus(at: number, { plan, left, foreign }: Preview): PlanStatus {
  return {
    lastDumpAt: new Date(at).toISOString(),
    changes: plan.map(changeOf),
    left: left.map(({ service, server, kind, policy, difference }) => ({
      service,
      server: server ?? null,
      kind,
      policy,
      difference,
    })),
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
