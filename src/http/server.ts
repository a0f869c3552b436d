import type { ServerOptions as HttpServerOptions } from 'node:http'
import type { ServerOptions } from 'node:https'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { KeysAway } from '../crypto/envelope.ts'
import { isTooBusy, type Machine, type Tx, transact } from '../db/tx.ts'
import type { Caller } from '../kernel/caller.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse, refuseOverloaded } from '../kernel/refusal.ts'
import type { StaffAct, StaffRole } from '../kernel/staff-role.ts'
import { contentFault, isStorable, parseJsonBody } from './body.ts'
import { type ClientCertificate, certificateOf } from './client-certificate.ts'
import { type CallRates, type Door, makeDoor } from './door.ts'
import type { Faults } from './faults.ts'
import { forbiddenTo } from './forbidden.ts'
import { addHealth } from './health.ts'
import { type LiveReader, type LiveStreams, makeLiveStreams } from './live.ts'
import { logMessage, withoutSecret } from './message-log.ts'
import { type Meters, makeMeters, type RefusedCall } from './meters.ts'
import { callerName, once } from './once.ts'
import { type OperatorProof, provedOperator } from './operator-proof.ts'
import { problemAnswer, refuseInvalid } from './problem.ts'
import type { Answer, Auth, Call, Dialect, Route } from './route.ts'
import { SAFE_HEADERS, TLS_ONLY } from './safe-headers.ts'
import { refusalOfFrameworkError, send } from './send.ts'
import { handleProved, type StepUpCheck } from './step-up.ts'
import { answerUnreadable } from './unreadable.ts'
import { addWebFiles, type WebApp } from './web-files.ts'

export type Headers = Readonly<Record<string, string | undefined>>

/** What a dialect adds around the handlers: its header rules, its request id, its error shape. */
export type DialectRules = {
  readonly checkHeaders: (headers: Headers, now: Date, route: Route) => Refusal | undefined
  readonly requestId: (headers: Headers) => string | undefined
  readonly refusalAnswer: (refusal: Refusal, trace: string, route: Pick<Route, 'path'> | undefined) => Answer
  /** Whether its messages go into the delivery log. */
  readonly logged: boolean
}

export const nativeRules: DialectRules = {
  checkHeaders: (headers) =>
    (headers['idempotency-key']?.length ?? 0) > LIMITS.textCharsMax
      ? refuse(
          'request/invalid-header',
          `Idempotency-Key may have ${LIMITS.textCharsMax} characters.`,
          'Idempotency-Key',
        )
      : undefined,
  requestId: (headers) => headers['idempotency-key'],
  refusalAnswer: problemAnswer,
  logged: false,
}

/** What a check of identity may look at beside the headers. */
export type Asked = Pick<Route, 'method' | 'dialect' | 'live'> & {
  /** The path as it was called, without its query. */
  readonly calledPath?: string
  readonly certificate?: ClientCertificate
}

export type Authenticate = (tx: Tx, headers: Headers, request: Asked) => Promise<Caller | Refusal>

export type ServerNeeds = {
  readonly machine: Machine
  readonly log: Logger
  readonly metrics: Registry
  readonly routes: readonly Route[]
  readonly dialects: Readonly<Record<Dialect, DialectRules>>
  readonly authenticate: Readonly<Record<Auth, Authenticate>>
  /** The apps for people that this party serves. */
  readonly web?: readonly WebApp[]
  /** Whether a role of the staff may do what a route is for: the table of `people/rules.ts`. */
  readonly mayDo: (role: StaffRole, act: StaffAct) => boolean
  readonly stepUp?: StepUpCheck
  readonly operatorProof?: OperatorProof
  /** Whether the scopes of a partner's token cover what a route is for. */
  readonly covers?: (scopes: readonly string[], scope: string) => boolean
  /** Addresses of proxies that are believed which certificate a caller presented to them. */
  readonly certificateProxies?: readonly string[]
  /** TLS at this door; without it a proxy in front does it. */
  readonly tls?: TlsOptions
  /** Ready to serve? Names what is missing. Behind `/health/ready`. */
  readonly ready: () => Promise<readonly string[]>
  /** What somebody has to look at, though the party serves; shown beside `/health/ready`. */
  readonly alarms?: () => Promise<readonly string[]>
  /** Whether an operator calls: of `/metrics`, which asks no database. Without it, nobody does. */
  readonly isOperator?: (headers: Headers) => boolean
  readonly callRates?: CallRates
  /** Who watches what is refused. */
  readonly onRefused?: (call: RefusedCall) => void
  /** Addresses of proxies of ours, whose `X-Forwarded-For` is believed. */
  readonly trustedProxies?: readonly string[]
  /** People reach this party over TLS: browsers are told to use nothing else. */
  readonly isSecure?: boolean
  /** In the sandbox: how this party is broken on purpose. */
  readonly faults?: Faults
}

export type TlsOptions = Pick<
  ServerOptions,
  'cert' | 'key' | 'ca' | 'minVersion' | 'requestCert' | 'rejectUnauthorized' | 'secureOptions'
>

/** Fastify makes a server of the kind whose options are there; both kinds are used alike. */
function listening(tls: TlsOptions | undefined): { readonly http: HttpServerOptions } {
  const options = { connectionsCheckingInterval: LIMITS.slowCallersLookEveryMs }
  return tls === undefined ? { http: options } : ({ https: { ...options, ...tls } } as never)
}

/** Builds the HTTP server of one party from its route table. */
export function makeServer(needs: ServerNeeds): FastifyInstance {
  const app = Fastify({
    loggerInstance: needs.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: LIMITS.bodyBytesMax,
    genReqId: () => Buffer.from(needs.machine.random(12)).toString('base64url'),
    requestIdHeader: false,
    routerOptions: { maxParamLength: 300 },
    exposeHeadRoutes: false,
    trustProxy: [...(needs.trustedProxies ?? [])],
    forceCloseConnections: true,
    keepAliveTimeout: 30_000,
    requestTimeout: LIMITS.requestMsMax,
    ...listening(needs.tls),
    clientErrorHandler: answerUnreadable,
    frameworkErrors: (_error, request, reply) => void answerWith(request, reply, refuse('request/malformed')),
  })
  app.server.headersTimeout = LIMITS.headersMsMax
  app.server.maxConnections = LIMITS.connectionsMax
  const door = makeDoor(needs.callRates ?? LIMITS.callsPerSecond, () => performance.now())
  app.addHook('onClose', async () => door.close())
  const answerWith: AnswerWith = (request, reply, result, route) => {
    const rules = needs.dialects[route?.dialect ?? dialectOf(request.url)]
    return send(reply, isRefusal(result) ? rules.refusalAnswer(result, request.id, route) : result)
  }
  if (needs.isSecure) app.addHook('onRequest', async (_request, reply) => void reply.headers(TLS_ONLY))
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  needs.faults?.attach(app, needs.routes, needs.machine.now)
  addHealth(app, { isOperator: () => false, ...needs, sandbox: needs.machine.sandbox === true }, answerWith)
  addWebFiles(app, needs.web ?? [], SAFE_HEADERS)
  const live = makeLiveStreams(needs.machine)
  // Before the sockets are cut, so that readers see an end and not a fault.
  app.addHook('preClose', async () => live.close())
  const meters = makeMeters(needs.metrics, live, door, needs.onRefused)
  for (const route of needs.routes) addRoute(app, { ...needs, meters, live, door }, route, answerWith)
  app.setNotFoundHandler((request, reply) => answerWith(request, reply, refuse('request/not-found')))
  app.setErrorHandler((error, request, reply) => {
    const refusal = refusalOfOurs(needs, error) ?? refusalOfFrameworkError(error)
    if (refusal === undefined)
      needs.log.error({ err: error, trace: request.id, path: request.routeOptions.url }, 'unhandled fault')
    const fault = `Something broke on our side. Nothing was changed. Tell us the trace ${request.id}.`
    return answerWith(request, reply, refusal ?? refuse('machine/fault', fault))
  })
  return app
}

type AnswerWith = (
  request: FastifyRequest,
  reply: FastifyReply,
  result: Answer | Refusal,
  route?: Route,
) => Promise<FastifyReply>

function addRoute(app: FastifyInstance, needs: Inside, route: Route, answerWith: AnswerWith): void {
  const turnAway = (request: FastifyRequest, reply: FastifyReply, refusal: Refusal): Promise<FastifyReply> => {
    needs.meters.refused(request, route, refusal, undefined)
    return answerWith(request, reply, refusal, route)
  }
  app.route({
    method: route.method,
    url: route.path,
    bodyLimit: route.bodyBytesMax ?? LIMITS.bodyBytesMax,
    // Before the body is read.
    onRequest: async (request, reply) => {
      const refusal =
        needs.door.turnAway(arriving(request), route) ??
        contentFault(route, request.headers as Headers) ??
        (await turnedAwayByAddress(needs, route, request))
      return refusal === undefined ? undefined : turnAway(request, reply, refusal)
    },
    // A place is held until the answer and its line in the delivery log are written.
    handler: (request, reply) => {
      const place = needs.door.enter(arriving(request), route)
      return isRefusal(place) ? turnAway(request, reply, place) : serve(needs, route, request, reply).finally(place)
    },
  })
}

const arriving = ({ ip, headers }: FastifyRequest) => ({ ip, headers: headers as Headers })

/** A large body is not even received when what lets its sender in stands in the address and is wrong. */
async function turnedAwayByAddress(
  needs: ServerNeeds,
  route: Route,
  request: FastifyRequest,
): Promise<Refusal | undefined> {
  const { admit } = route
  const params = request.params as Record<string, string>
  if (admit === undefined || !decodedParts(request).every(isStorable)) return undefined
  return transact(needs.machine, (tx) => admit({ tx, params }))
}

function dialectOf(url: string): Dialect {
  return url.startsWith('/api/') ? 'abdm' : 'native'
}

const KEYS_AWAY_WAIT_S = 5

/** What is not here now and may be here soon; in both cases the transaction was rolled back. */
function refusalOfOurs(needs: ServerNeeds, error: unknown): Refusal | undefined {
  if (error instanceof KeysAway) return refuseKeysAway(needs, error)
  if (!isTooBusy(error)) return undefined
  needs.log.error({ err: error }, 'the database is too busy')
  return refuseOverloaded(LIMITS.retryAfterOverloadMs)
}

/** Without the key service nothing is sealed or opened; the transaction was rolled back. What the service said stays in our log. */
function refuseKeysAway(needs: ServerNeeds, error: KeysAway): Refusal {
  needs.log.error({ err: error }, 'the key service does not serve')
  return { ...refuse('machine/keys-unavailable'), retryAfterS: KEYS_AWAY_WAIT_S }
}

type Inside = ServerNeeds & { readonly meters: Meters; readonly live: LiveStreams; readonly door: Door }

async function serve(needs: Inside, route: Route, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { meters, live } = needs
  const startedMs = performance.now()
  const at = needs.machine.now()
  const rules = needs.dialects[route.dialect]
  const headers = request.headers as Headers
  const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  const prepared = await route.prepare?.(needs.machine, { raw, headers, source: request.ip })
  const seen: Seen = { prepared }
  const handled = await decideAndHandle(needs, route, request, headers, raw, seen)
  const reader = isRefusal(handled) ? undefined : readerOf(needs, live, route, headers, seen.caller)
  const result = isRefusal(reader) ? reader : handled
  const answer = isRefusal(result) ? rules.refusalAnswer(result, request.id, route) : result
  const tookMs = performance.now() - startedMs
  if (isRefusal(result)) meters.refused(request, route, result, seen.caller)
  meters.took.observe({ method: route.method, route: route.path, status: answer.status }, tookMs / 1000)
  needs.log.debug(
    {
      trace: request.id,
      method: route.method,
      route: route.path,
      status: answer.status,
      tookMs: Math.round(tookMs),
      ...(isRefusal(result) ? { refused: result.code } : {}),
    },
    'answered',
  )
  if (rules.logged) {
    const body = answer.body === undefined ? '' : JSON.stringify(answer.body)
    const requestId = rules.requestId(headers)
    const message = {
      at,
      direction: 'in' as const,
      peer: seen.caller === undefined ? 'unknown' : callerName(seen.caller).replace(/^[a-z]+:/, ''),
      method: route.method,
      path: route.secretPath ? withoutSecret(request.url) : (request.url.split('?')[0] ?? route.path),
      ...(requestId === undefined ? {} : { requestId: requestId.slice(0, 100) }),
      body: seen.body,
      status: answer.status,
      answer: body,
      tookMs: Math.round(tookMs),
    }
    const whole = { headers, body: raw.toString('utf8'), answerHeaders: answer.headers ?? {}, answer: body }
    // What was done is done: it is not called a failure because its line is missing.
    await logMessage(needs.machine, message, whole).catch((error: unknown) =>
      needs.log.error({ err: error, trace: request.id }, 'a message is missing in the delivery log'),
    )
  }
  if (reader === undefined || isRefusal(reader)) return send(reply, answer)
  reply.hijack()
  live.open(reader, reply.raw, SAFE_HEADERS)
  return reply
}

/** Who reads a live route; undefined for all other routes, a refusal when this caller may not or there is no room. */
function readerOf(
  needs: ServerNeeds,
  live: LiveStreams,
  route: Route,
  headers: Headers,
  caller: Caller | undefined,
): LiveReader | Refusal | undefined {
  const { live: topicOf } = route
  if (topicOf === undefined || caller === undefined) return undefined
  const topic = topicOf(caller)
  if (isRefusal(topic)) return topic
  const full = live.admit(caller)
  if (full) return full
  const mayStay = async (): Promise<boolean> => {
    const still = await transact(needs.machine, (tx) => needs.authenticate[route.auth](tx, headers, route))
    return !isRefusal(still) && topicOf(still) === topic
  }
  return { caller, topic, mayStay }
}

type Seen = { caller?: Caller; body?: unknown; readonly prepared: unknown }

async function decideAndHandle(
  needs: Inside,
  route: Route,
  request: FastifyRequest,
  headers: Headers,
  raw: Buffer,
  seen: Seen,
): Promise<Answer | Refusal> {
  return transact(needs.machine, async (tx) => {
    const rules = needs.dialects[route.dialect]
    const caller = await needs.authenticate[route.auth](tx, headers, askedOf(needs, route, request))
    const tooOften = needs.door.note(arriving(request), caller)
    if (isRefusal(caller)) return caller
    seen.caller = caller
    if (tooOften) return tooOften
    const forbidden = forbiddenTo(needs, route, caller)
    if (forbidden) return forbidden
    const headerFault = rules.checkHeaders(headers, tx.now, route)
    if (headerFault) return headerFault
    const turnedAway = await route.admit?.({ tx, params: request.params as Record<string, string> })
    if (turnedAway) return turnedAway
    const input = readInput(route, request, raw)
    if (isRefusal(input)) return input
    seen.body = input.sent
    const requestId = rules.requestId(headers)
    const proved = await provedOperator(needs.operatorProof, route, { tx, caller, headers })
    if (isRefusal(proved)) return proved
    const call: Call<unknown, unknown, unknown> = {
      tx,
      caller: proved,
      body: input.body,
      raw,
      query: input.query,
      prepared: seen.prepared,
      params: request.params as Record<string, string>,
      headers,
      asked: askedOf(needs, route, request),
      requestId: requestId ?? request.id,
      source: request.ip,
    }
    const handle = (): Promise<Answer | Refusal> => handleProved(needs.stepUp, route, call as Call<never, never>)
    if (!route.once || requestId === undefined) return handle()
    return once(tx, { caller, requestId, route: `${route.method} ${request.url}`, body: raw }, handle)
  })
}

function askedOf(needs: ServerNeeds, { method, dialect, live }: Route, request: FastifyRequest): Asked {
  const certificate = certificateOf(request.raw, needs.certificateProxies ?? [])
  return {
    method,
    dialect,
    ...(live === undefined ? {} : { live }),
    calledPath: request.url.split('?')[0] ?? '',
    ...(certificate === undefined ? {} : { certificate }),
  }
}

function readInput(
  route: Route,
  request: FastifyRequest,
  raw: Buffer,
): { body: unknown; sent: unknown; query: unknown } | Refusal {
  const address = decodedParts(request)
  if (!address.every(isStorable))
    return refuse('request/malformed', 'The address holds characters that no id or text has.')
  const json = route.body ? parseJsonBody(raw) : { value: undefined }
  if (isRefusal(json)) return json
  const body = route.body?.safeParse(json.value)
  if (body && !body.success) return refuseInvalid(body.error, 'body')
  const query = route.query?.safeParse(request.query)
  if (query && !query.success) return refuseInvalid(query.error, 'query')
  return { body: body?.data, sent: body?.data, query: query?.data }
}

/** Path parameters and query values, decoded: what a handler may put into the database. */
function decodedParts(request: FastifyRequest): readonly string[] {
  const values = [...Object.values(request.params as object), ...Object.values(request.query as object)] as unknown[]
  return values.flat().map(String)
}
