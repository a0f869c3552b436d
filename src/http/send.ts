import type { FastifyReply } from 'fastify'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import type { Answer } from './route.ts'
import { SAFE_HEADERS } from './safe-headers.ts'

/** Sends exact content types: some ABDM clients insist on `application/json` without a charset. */
export async function send(reply: FastifyReply, answer: Answer): Promise<FastifyReply> {
  reply.code(answer.status).headers(SAFE_HEADERS)
  if (answer.body === undefined) return reply.headers({ ...answer.headers }).send()
  if (typeof answer.body === 'string' || answer.body instanceof Uint8Array) {
    reply.headers({ 'content-type': 'text/plain; charset=utf-8', ...answer.headers })
    return reply.send(Buffer.from(answer.body as Uint8Array))
  }
  reply.headers({ 'content-type': 'application/json', ...answer.headers })
  return reply.send(Buffer.from(JSON.stringify(answer.body)))
}

/** What the framework refuses by itself, in our words; undefined for a fault of ours. */
export function refusalOfFrameworkError(error: unknown): Refusal | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : undefined
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return refuse('request/too-large')
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return refuse('request/wrong-type')
  return typeof status === 'number' && status >= 400 && status < 500 ? refuse('request/malformed') : undefined
}
