import { connect, type Socket } from 'node:net'
import type { Logger } from 'pino'
import { LIMITS } from '../kernel/limits.ts'
import type { Scanner, Verdict } from './scanner.ts'

/** Where a scanner listens that speaks clamd's protocol. */
export type ScannerPlace = ({ readonly host: string; readonly port: number } | { readonly socket: string }) & {
  readonly timeoutSeconds: number
}

const ANSWER_BYTES_MAX = 4_096
const END_OF_STREAM = Buffer.alloc(4)

const again = (why: string): Verdict => ({ kind: 'not-scanned', why, mayTryAgain: true })

/** A scanner behind clamd's `INSTREAM` (ClamAV manual, clamd(8)): one connection for each look, over TCP or a Unix socket. */
export function makeClamd(place: ScannerPlace, log: Logger): Scanner {
  let inside = 0
  let trouble: string | undefined
  return {
    trouble: () => trouble,
    scan: async (bytes) => {
      if (inside >= LIMITS.scansAtOnceMax) return again('it is busy with others')
      inside += 1
      try {
        const verdict = await ask(place, bytes)
        const why = verdict.kind === 'not-scanned' ? verdict.why : undefined
        trouble = why === undefined ? undefined : 'the malware scanner'
        if (why !== undefined) log.warn({ why }, 'the malware scanner did not look at an attachment')
        if (verdict.kind === 'found') log.warn({ found: verdict.name }, 'an attachment holds malware')
        return verdict
      } finally {
        inside -= 1
      }
    },
  }
}

function ask(place: ScannerPlace, bytes: Uint8Array): Promise<Verdict> {
  return new Promise((resolve) => {
    const socket = connect('socket' in place ? { path: place.socket } : { host: place.host, port: place.port })
    const timer = setTimeout(() => end(again('it did not answer in time')), place.timeoutSeconds * 1_000)
    const end = (verdict: Verdict): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(verdict)
    }
    let answer = Buffer.alloc(0)
    let isAllSent = false
    let broke = 'it hung up before it had answered'
    socket.on('connect', () => send(socket, bytes, () => (isAllSent = true)))
    socket.on('data', (piece: Buffer) => {
      answer = Buffer.concat([answer, piece])
      const stop = answer.indexOf(0)
      if (stop !== -1) end(verdictOf(answer.toString('utf8', 0, stop), isAllSent))
      else if (answer.length > ANSWER_BYTES_MAX) end(again('its answer is too long'))
    })
    // It may have answered before it stopped listening: `close` comes after what it wrote.
    socket.on('error', (error) => (broke = 'code' in error ? String(error.code) : error.message))
    socket.on('close', () => end(again(broke)))
  })
}

/** Each piece with its length before it, and an empty one at the end. */
function send(socket: Socket, bytes: Uint8Array, whenSent: () => void): void {
  socket.write('zINSTREAM\0')
  for (let at = 0; at < bytes.length; at += LIMITS.scanPieceBytes) {
    const piece = bytes.subarray(at, at + LIMITS.scanPieceBytes)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(piece.length)
    socket.write(length)
    socket.write(piece)
  }
  socket.write(END_OF_STREAM, whenSent)
}

/** A whole answer only: one that is cut short, or comes before the last byte was sent, says nothing. */
function verdictOf(answer: string, isAllSent: boolean): Verdict {
  const found = /^stream: (\S.{0,200}) FOUND$/.exec(answer)?.[1]
  if (found !== undefined) return { kind: 'found', name: found }
  if (answer === 'stream: OK') return isAllSent ? { kind: 'clean' } : again('it answered before it had all')
  if (answer.startsWith('INSTREAM size limit exceeded'))
    return { kind: 'not-scanned', why: 'it is too large for it (StreamMaxLength)', mayTryAgain: false }
  return again('it had an error')
}
