import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Registry } from 'prom-client'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import type { Answer } from './route.ts'

export type HealthNeeds = {
  readonly metrics: Registry
  /** Ready to serve? Names what is missing. */
  readonly ready: () => Promise<readonly string[]>
  /** What somebody has to look at, though the party serves. */
  readonly alarms?: () => Promise<readonly string[]>
  /** Whether an operator of this party calls; asks no database, so that it is known when that is away. */
  readonly isOperator: (headers: Readonly<Record<string, string | undefined>>) => boolean
  readonly sandbox: boolean
}

/**
 * `/health/live` and `/health/ready` say one word to everybody; what is missing they tell operators, and everybody in a sandbox.
 * `/metrics` (Prometheus) answers operators only: how many calls of which kind a party has is nobody else's business.
 */
export function addHealth(
  app: FastifyInstance,
  needs: HealthNeeds,
  answer: (request: FastifyRequest, reply: FastifyReply, answer: Answer | Refusal) => Promise<FastifyReply>,
): void {
  const isOperator = (request: FastifyRequest): boolean => needs.isOperator(request.headers as Record<string, string>)
  app.get('/health/live', (request, reply) => answer(request, reply, { status: 200, body: { status: 'live' } }))
  app.get('/health/ready', async (request, reply) => {
    const missing = await needs.ready()
    const isTold = needs.sandbox || isOperator(request)
    if (missing.length === 0) {
      const alarms = isTold ? ((await needs.alarms?.()) ?? []) : []
      return answer(request, reply, {
        status: 200,
        body: { status: 'ready', ...(alarms.length > 0 ? { alarms } : {}) },
      })
    }
    const why = isTold ? { missing } : {}
    return answer(request, reply, { status: 503, body: { status: 'not ready', ...why } })
  })
  app.get('/metrics', async (request, reply) => {
    if (!isOperator(request))
      return answer(request, reply, refuse('auth/missing-token', 'Metrics are for the operator token.'))
    const body = await needs.metrics.metrics()
    return answer(request, reply, { status: 200, body, headers: { 'content-type': needs.metrics.contentType } })
  })
}
