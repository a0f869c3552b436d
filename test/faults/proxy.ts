import { once } from 'node:events'
import net, { type AddressInfo, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** What a connection meets on its way. Bytes are counted in the direction that the fault is about. */
export type Trouble =
  | { readonly kind: 'latency'; readonly ms: number }
  | { readonly kind: 'throttle'; readonly bytesPerSecond: number }
  /** Ends in order, but too early: in the middle of a request, or of its answer. */
  | { readonly kind: 'cut'; readonly of: Way; readonly afterBytes: number }
  | { readonly kind: 'reset'; readonly of: Way; readonly afterBytes: number }
  /** The server ended, and the caller is never told: its connection stays open, and silent. */
  | { readonly kind: 'half-open'; readonly afterBytes: number }
  /** Somebody takes the call, and nobody hears it. */
  | { readonly kind: 'black hole' }
export type Way = 'request' | 'answer'
export const TROUBLES = ['latency', 'throttle', 'cut', 'reset', 'half-open', 'black hole'] as const

/** What becomes of the next connection; undefined: nothing bad. */
export type Weather = () => Trouble | undefined

const CALM: Weather = () => undefined
const SLICE_MS = 10

type Line = { readonly trouble: Trouble | undefined; readonly caller: Socket; readonly server: Socket | undefined }

/** A wire to one party that can be bad in every way in which a TCP connection can be bad. */
export class FaultProxy {
  readonly #listener: net.Server
  readonly #target: number
  readonly #lines = new Set<Line>()
  /** After so long a box on the way forgets a silent connection: its caller is reset. */
  readonly #forgetMs: number
  weather: Weather = CALM
  /** How often each trouble was met. */
  readonly met = new Map<Trouble['kind'], number>()

  private constructor(target: number, forgetMs: number) {
    this.#target = target
    this.#forgetMs = forgetMs
    this.#listener = net.createServer({ allowHalfOpen: true }, (caller) => this.#take(caller))
  }

  /** Listens at a port of loopback that the system chooses, before a port of loopback. */
  static async open(target: number, forgetMs: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, forgetMs)
    proxy.#listener.listen(0, '127.0.0.1')
    await once(proxy.#listener, 'listening')
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#listener.address() as AddressInfo).port}`
  }

  /** The wire is good again; what hangs in it is told. */
  heal(): void {
    this.weather = CALM
    for (const { trouble, caller, server } of this.#lines)
      if (trouble !== undefined) for (const end of [caller, server]) end?.resetAndDestroy()
  }

  async close(): Promise<void> {
    for (const { caller, server } of this.#lines) for (const end of [caller, server]) end?.destroy()
    this.#listener.close()
    await once(this.#listener, 'close')
  }

  #take(caller: Socket): void {
    const trouble = this.weather()
    if (trouble !== undefined) this.met.set(trouble.kind, (this.met.get(trouble.kind) ?? 0) + 1)
    const server =
      trouble?.kind === 'black hole'
        ? undefined
        : net.connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    const line: Line = { trouble, caller, server }
    this.#lines.add(line)
    caller.setNoDelay(true)
    caller.on('close', () => {
      this.#lines.delete(line)
      server?.destroy()
    })
    // Whatever breaks at one end breaks the other; the lines above and below clear up.
    caller.on('error', () => server?.resetAndDestroy())
    server?.on('error', () => caller.resetAndDestroy())
    if (server === undefined) {
      caller.resume()
      return this.#forget(caller)
    }
    void this.#carry(line, caller, server, 'request')
    void this.#carry(line, server, caller, 'answer')
  }

  /** Brings one way of a connection across, as bad as it is. */
  async #carry(line: Line, from: Socket, to: Socket, way: Way): Promise<void> {
    const { trouble } = line
    let left = allowance(trouble, way)
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        if (chunk.length > left) return await this.#break(line, to, chunk.subarray(0, left))
        left -= chunk.length
        if (trouble?.kind === 'latency') await pause(trouble.ms)
        if (trouble?.kind === 'throttle') await drip(to, chunk, trouble.bytesPerSecond)
        else await write(to, chunk)
      }
      if (!to.destroyed) to.end()
    } catch {
      to.destroy()
    }
  }

  /** The moment at which the connection goes bad: `last` still gets through. */
  async #break({ trouble, caller, server }: Line, to: Socket, last: Buffer): Promise<void> {
    await write(to, last)
    if (trouble?.kind === 'half-open') {
      server?.removeAllListeners('error').on('error', () => undefined)
      server?.destroy()
      return this.#forget(caller)
    }
    // What was written must be on its way before the end is.
    await pause(SLICE_MS)
    for (const end of [caller, server]) {
      if (trouble?.kind === 'reset') end?.resetAndDestroy()
      else end?.destroy()
    }
  }

  #forget(caller: Socket): void {
    const timer = setTimeout(() => caller.resetAndDestroy(), this.#forgetMs)
    caller.once('close', () => clearTimeout(timer))
  }
}

/** So many bytes get through in this direction before it goes bad. */
function allowance(trouble: Trouble | undefined, way: Way): number {
  if (trouble?.kind === 'cut' || trouble?.kind === 'reset')
    return trouble.of === way ? trouble.afterBytes : Number.POSITIVE_INFINITY
  return trouble?.kind === 'half-open' && way === 'answer' ? trouble.afterBytes : Number.POSITIVE_INFINITY
}

async function drip(to: Socket, chunk: Buffer, bytesPerSecond: number): Promise<void> {
  const size = Math.max(1, Math.round((bytesPerSecond * SLICE_MS) / 1_000))
  for (let i = 0; i < chunk.length; i += size) {
    await pause(SLICE_MS)
    await write(to, chunk.subarray(i, i + size))
  }
}

async function write(to: Socket, chunk: Buffer): Promise<void> {
  if (to.destroyed || chunk.length === 0) return
  if (!to.write(chunk)) await Promise.race([once(to, 'drain'), once(to, 'close')])
}
