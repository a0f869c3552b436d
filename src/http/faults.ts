import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Route } from './route.ts'

/**
 * How a party of the sandbox can be broken on purpose, at its own door, so that its partners see what they would see of a real failure:
 * `down` the line is reset; `slow` it acts, but late; `error` it answers 500 or 503 without acting; `garbage` it acts, but its answer is
 * an unreadable page of a proxy; `damage` sealed documents are changed on their way in.
 */
export const FAULT_KINDS = ['down', 'slow', 'error', 'garbage', 'damage'] as const
export type FaultKind = (typeof FAULT_KINDS)[number]

export type FaultInput = {
  readonly kind: FaultKind
  /** Only paths that hold this text; `*` stands for anything. */
  readonly path?: string
  /** How many messages it strikes; without it, all until its end. */
  readonly times?: number
  readonly until: Date
  /** Of `slow`. */
  readonly delayMs: number
  /** Of `error`. */
  readonly status: 500 | 503
}
export type Fault = FaultInput & { readonly id: string; readonly struck: number }

export type Faults = {
  readonly list: (now: Date) => readonly Fault[]
  readonly add: (id: string, input: FaultInput) => Fault
  /** Mends one, or all. How many there were. */
  readonly mend: (id?: string) => number
  /** Lets faults strike what parties send to one another; people and operators are never struck. */
  readonly attach: (app: FastifyInstance, routes: readonly Route[], now: () => Date) => void
}

const HEALTH = 'GET /health/ready'
const GARBAGE = '<html><body><h1>502 Bad Gateway</h1><p>\u0000\ufffd\ufffd}{"</p>'
/** Messages between parties: what a bridge or the exchange sends, what ABDM's paths take, what witnesses are asked. */
const isBetweenParties = ({ auth, path }: Route): boolean =>
  auth === 'bridge' ||
  auth === 'partner' ||
  auth === 'exchange' ||
  path.startsWith('/api/') ||
  path.startsWith('/witness/')

/** The faults of one party, kept in memory: whoever restarts it, mends it. */
export function makeFaults(): Faults {
  let active: readonly Fault[] = []
  const inForce = (now: Date): readonly Fault[] => (active = active.filter((one) => one.until > now))
  const strike = (fault: Fault): void => {
    const struck = { ...fault, struck: fault.struck + 1 }
    const isSpent = fault.times !== undefined && struck.struck >= fault.times
    active = active.flatMap((one) => (one.id !== fault.id ? [one] : isSpent ? [] : [struck]))
  }
  return {
    list: inForce,
    add: (id, input) => {
      const fault = { ...input, id, struck: 0 }
      active = [...active, fault]
      return fault
    },
    mend: (id) => {
      const left = id === undefined ? [] : active.filter((one) => one.id !== id)
      const mended = active.length - left.length
      active = left
      return mended
    },
    attach: (app, routes, now) =>
      attach(app, { routes, find: (kinds, path) => first(inForce(now()), kinds, path), strike }),
  }
}

function first(active: readonly Fault[], kinds: readonly FaultKind[], path: string): Fault | undefined {
  return active.find((one) => kinds.includes(one.kind) && (one.path === undefined || matches(one.path, path)))
}

function matches(pattern: string, path: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(parts.join('.*')).test(path)
}

type Strikes = {
  readonly routes: readonly Route[]
  readonly find: (kinds: readonly FaultKind[], path: string) => Fault | undefined
  readonly strike: (fault: Fault) => void
}

function attach(app: FastifyInstance, { routes, find, strike }: Strikes): void {
  const named = (list: readonly Route[]): ReadonlySet<string> => new Set(list.map((one) => `${one.method} ${one.path}`))
  const between = named(routes.filter(isBetweenParties))
  const pushes = named(routes.filter((one) => one.secretPath))
  const garbled = new WeakSet<FastifyRequest>()
  const late = new WeakMap<FastifyRequest, number>()
  const delays = makeDelays()
  app.addHook('preClose', async () => delays.end())
  app.addHook('onRequest', async (request, reply) => {
    const route = nameOf(request)
    const path = pathOf(request)
    // A party that is down does not tell how it is, either.
    if (route === HEALTH && find(['down'], path) !== undefined) return reset(request, reply)
    if (!between.has(route)) return undefined
    const fault = find(['down', 'slow', 'error', 'garbage'], path)
    if (fault === undefined) return undefined
    strike(fault)
    if (fault.kind === 'down') return reset(request, reply)
    if (fault.kind === 'error') return answerError(reply, fault.status)
    if (fault.kind === 'garbage') garbled.add(request)
    else late.set(request, fault.delayMs)
    return undefined
  })
  // The message has come in whole by now: it is acted upon though its sender gave up waiting.
  app.addHook('preHandler', async (request, reply) => {
    const delayMs = late.get(request)
    if (delayMs !== undefined && !(await delays.wait(delayMs))) return reset(request, reply)
    return undefined
  })
  app.addHook('preHandler', async (request) => {
    const fault = pushes.has(nameOf(request)) ? find(['damage'], pathOf(request)) : undefined
    const damaged = fault === undefined || !Buffer.isBuffer(request.body) ? undefined : damage(request.body)
    if (fault === undefined || damaged === undefined) return
    strike(fault)
    request.body = damaged
  })
  app.addHook('onSend', async (request, reply, payload) => {
    if (!garbled.has(request)) return payload
    reply.code(502).header('content-type', 'text/html')
    return GARBAGE
  })
}

const nameOf = (request: FastifyRequest): string => `${request.method} ${request.routeOptions.url ?? ''}`
const pathOf = (request: FastifyRequest): string => request.url.split('?')[0] ?? ''

function reset(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.hijack()
  request.raw.socket.resetAndDestroy()
  return reply
}

function answerError(reply: FastifyReply, status: 500 | 503): FastifyReply {
  const message = 'This party is broken on purpose, in the sandbox console.'
  return reply
    .code(status)
    .header('content-type', 'application/json')
    .send(JSON.stringify({ error: { code: String(status), message } }))
}

/** The pushed page with one character of each sealed document changed; undefined when it holds none. */
function damage(body: Buffer): Buffer | undefined {
  let hits = 0
  const text = body
    .toString('utf8')
    .replaceAll(/("content"\s*:\s*"[^"]{8})([^"])/g, (_whole, before: string, one: string) => {
      hits++
      return `${before}${one === 'A' ? 'B' : 'A'}`
    })
  return hits === 0 ? undefined : Buffer.from(text)
}

/** Waits that end early when the server closes. */
function makeDelays(): { readonly wait: (ms: number) => Promise<boolean>; readonly end: () => void } {
  const waiting = new Set<() => void>()
  let ended = false
  return {
    wait: (ms) =>
      new Promise((resolve) => {
        const settle = (): void => {
          clearTimeout(timer)
          waiting.delete(settle)
          resolve(!ended)
        }
        const timer = setTimeout(settle, ms)
        waiting.add(settle)
      }),
    end: () => {
      ended = true
      for (const settle of waiting) settle()
    },
  }
}
