import { connect } from 'node:net'

/** Longer than a busy machine thinks about an answer. */
const QUIET_MS = 1_500
/** Silence is counted in steps: a machine that stands still for a while, the listener with it, has been silent for one of them. */
const STEP_MS = 100

/** Writes bytes to a listener as they are, piece by piece, and reads until it closes or says nothing for a while. */
export async function sendRaw(
  url: string,
  pieces: readonly (string | Buffer)[],
  options: { readonly quietMs?: number; readonly betweenMs?: number } = {},
): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const chunks: Buffer[] = []
  let quiet: NodeJS.Timeout | undefined
  const ended = new Promise<void>((resolve) => {
    const rest = (): void => {
      clearTimeout(quiet)
      const wait = (steps: number): void => {
        quiet = setTimeout(() => (steps > 1 ? wait(steps - 1) : resolve()), STEP_MS)
      }
      wait((options.quietMs ?? QUIET_MS) / STEP_MS)
    }
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      rest()
    })
    socket.on('close', () => resolve())
    socket.on('error', () => resolve())
    socket.on('connect', rest)
  })
  for (const piece of pieces) {
    if (!socket.destroyed) socket.write(piece)
    if (options.betweenMs !== undefined) await new Promise((resolve) => setTimeout(resolve, options.betweenMs))
  }
  await ended
  clearTimeout(quiet)
  socket.destroy()
  return Buffer.concat(chunks).toString('latin1')
}

/** The statuses of all answers that came on one connection. */
export const statusesOf = (text: string): readonly number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))
