import type { Socket } from 'node:net'
import { refuse } from '../kernel/refusal.ts'
import { problemAnswer } from './problem.ts'

const STATUS: Readonly<Record<string, number>> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }
const WORDS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
}

/** What does not look like HTTP, has too many headers, or comes too slowly: there is no request to answer, only a line to close. */
export function answerUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable) return void socket.destroy()
  const status = STATUS[error.code ?? ''] ?? 400
  const { body } = problemAnswer(refuse('request/malformed'), 'none')
  const text = JSON.stringify({ ...(body as object), status })
  const head = [
    `HTTP/1.1 ${status} ${WORDS[status]}`,
    'connection: close',
    'content-type: application/problem+json',
    'x-content-type-options: nosniff',
    `content-length: ${text.length}`,
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`)
}
