import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

/** Stands for malware: a scanner knows it, and it is nothing. */
export const MARK = 'this is what the scanner of the tests is looking for'

/** How the scanner behaves: as it should, or as one of those that break. */
export type Manner =
  | 'honest'
  | 'in pieces'
  | 'silent'
  | 'hangs up at once'
  | 'hangs up when it has all'
  | 'cut answer'
  | 'before the end'
  | 'error'
  | 'babble'

export type FakeClamd = {
  readonly place: { readonly host: string; readonly port: number } | { readonly socket: string }
  /** What it looked at, whole. */
  readonly seen: Buffer[]
  manner: Manner
  /** Largest stream that it takes (clamd's StreamMaxLength). */
  bytesMax: number
  readonly close: () => Promise<void>
}

/** A scanner that speaks clamd's `INSTREAM`, over TCP or at a Unix socket. */
export async function startFakeClamd(socketPath?: string): Promise<FakeClamd> {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => undefined)
    serve(socket, fake)
  })
  server.listen(socketPath ?? { host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  const address = server.address()
  const fake: FakeClamd = {
    place:
      typeof address === 'string' ? { socket: address } : { host: '127.0.0.1', port: (address as AddressInfo).port },
    seen: [],
    manner: 'honest',
    bytesMax: 26_214_400,
    close: async () => {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  return fake
}

const COMMAND = Buffer.from('zINSTREAM\0')

function serve(socket: Socket, fake: FakeClamd): void {
  if (fake.manner === 'hangs up at once') return void socket.destroy()
  let received = Buffer.alloc(0)
  let isDone = false
  socket.on('data', (piece: Buffer) => {
    received = Buffer.concat([received, piece])
    if (isDone) return
    const said = judge(received, fake)
    if (said === undefined) return
    isDone = true
    if (said.isWhole) fake.seen.push(said.stream)
    answer(socket, fake.manner, said.text)
  })
}

/** What it says to what it has received; undefined while it waits for more. */
function judge(
  received: Buffer,
  { bytesMax, manner }: FakeClamd,
): { readonly text: string; readonly stream: Buffer; readonly isWhole: boolean } | undefined {
  if (received.length < COMMAND.length) return undefined
  if (!received.subarray(0, COMMAND.length).equals(COMMAND))
    return { text: 'UNKNOWN COMMAND', stream: Buffer.alloc(0), isWhole: false }
  const pieces: Buffer[] = []
  for (let at = COMMAND.length; at + 4 <= received.length; ) {
    const length = received.readUInt32BE(at)
    const stream = Buffer.concat(pieces)
    if (length === 0)
      return { text: `stream: ${stream.includes(MARK) ? 'Test-Malware FOUND' : 'OK'}`, stream, isWhole: true }
    if (manner === 'before the end') return { text: 'stream: OK', stream, isWhole: false }
    if (stream.length + length > bytesMax)
      return { text: 'INSTREAM size limit exceeded. ERROR', stream, isWhole: false }
    pieces.push(received.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return undefined
}

function answer(socket: Socket, manner: Manner, text: string): void {
  if (manner === 'silent') return
  if (manner === 'hangs up when it has all') return void socket.destroy()
  if (manner === 'cut answer') return void socket.end(text)
  if (manner === 'error') return void socket.end('stream: Can’t allocate memory ERROR\0')
  if (manner === 'babble') return void socket.end('stream: OK '.repeat(1_000))
  if (manner !== 'in pieces') return void socket.end(`${text}\0`)
  const letters = Array.from(`${text}\0`)
  const next = (): void => {
    const letter = letters.shift()
    if (letter === undefined) socket.end()
    else socket.write(letter, () => setImmediate(next))
  }
  next()
}
