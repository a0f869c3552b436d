import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { formatVkey } from '../../crypto/signed-note.ts'
import type { Answer } from '../../http/route.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { text } from '../serve.ts'
import { say } from '../witness.ts'
import { type Budget, makeBudget, tooMany } from './budget.ts'
import type { StandaloneWitness } from './witness.ts'

const TIMEOUT_MS = 10_000

export type WitnessServer = { readonly port: number; readonly close: () => Promise<void> }

export type WitnessServerNeeds = {
  readonly witness: StandaloneWitness
  readonly now: () => Date
  /** Hears of requests that broke on our side. */
  readonly fault: (error: unknown) => void
}

/** Serves a witness: `/add-checkpoint`, `/<hex SHA-256 of the origin>/checkpoint` (C2SP tlog-witness), `/vkey`, `/health/live`. */
export async function serveWitness(
  needs: WitnessServerNeeds,
  listen: { readonly host: string; readonly port: number },
): Promise<WitnessServer> {
  const calls = makeBudget(LIMITS.witnessCallsPerMinuteMax, needs.now)
  const server = createServer((request, response) => {
    answerRequest(needs, calls, request)
      .catch((error: unknown) => {
        needs.fault(error)
        return say(500, 'Something broke here; nothing was signed.')
      })
      .then((answer) => send(response, answer))
      .catch(needs.fault)
  })
  server.requestTimeout = TIMEOUT_MS
  server.headersTimeout = TIMEOUT_MS
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(listen.port, listen.host, resolve)
  })
  return { port: (server.address() as AddressInfo).port, close: () => closed(server) }
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

async function answerRequest(
  { witness }: WitnessServerNeeds,
  calls: Budget,
  request: IncomingMessage,
): Promise<Answer> {
  const path = (request.url ?? '/').split('?')[0] ?? '/'
  const isGet = request.method === 'GET' || request.method === 'HEAD'
  if (isGet && path === '/health/live') return text(200, `live ${witness.logs()} logs\n`, 'no-store')
  const waitSeconds = calls.take(request.socket.remoteAddress ?? '')
  if (waitSeconds > 0) return tooMany(waitSeconds)
  if (isGet && path === '/vkey') return text(200, `${formatVkey(witness.cosigner.key)}\n`, 'public, max-age=300')
  const monitored = /^\/([0-9a-f]{64})\/checkpoint$/.exec(path)?.[1]
  if (isGet && monitored !== undefined) return witness.monitor(monitored)
  if (path !== '/add-checkpoint') return say(404, 'There is nothing here.')
  if (request.method !== 'POST') return say(405, 'POST a checkpoint here.')
  const body = await readBody(request)
  return body === undefined ? say(413, `At most ${LIMITS.witnessBodyBytesMax} bytes.`) : witness.addCheckpoint(body)
}

async function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > LIMITS.witnessBodyBytesMax) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function send(response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, {
    ...answer.headers,
    'x-content-type-options': 'nosniff',
    // What is left of a body that was too large is not read.
    ...(answer.status === 413 ? { connection: 'close' } : {}),
  })
  response.end(answer.body)
}
