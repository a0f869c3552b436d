import assert from 'node:assert/strict'
import type { FastifyInstance } from 'fastify'
import pino from 'pino'
import { Registry } from 'prom-client'
import { generateSigningKey, importSigningKey, type SigningKey } from '../src/crypto/signature.ts'
import { type Machine, type Tx, transact } from '../src/db/tx.ts'
import type { CallOutcome, OutboundCall } from '../src/http/outbound.ts'
import { route } from '../src/http/route.ts'
import { makeServer, nativeRules, type TlsOptions } from '../src/http/server.ts'
import { partnerOf } from '../src/kernel/caller.ts'
import type { FacilityId } from '../src/kernel/id.ts'
import { must, refuse } from '../src/kernel/refusal.ts'
import { partnerCheck, partnerDoorRoutes } from '../src/native/partner-door.ts'
import type { ClientKeys } from '../src/partners/client.ts'
import { registerClient } from '../src/partners/client-commands.ts'
import { makePublishedKeys } from '../src/partners/published-keys.ts'
import { covers } from '../src/partners/scope.ts'
import { mayDo } from '../src/people/rules.ts'
import { openTestDatabase, type TestDatabase } from './database.ts'
import { makeTestClock, makeTestMachine, type TestClock } from './machine.ts'
import { ASSERTION_TYPE, assertionOf, dpopOf, makeTestKey, type TestKey } from './partner-client.ts'

export const OPERATOR = { kind: 'operator', id: 'test' } as const
export const URL_OF_PARTY = 'https://exchange.test'
export const TOKEN_URL = `${URL_OF_PARTY}/oauth/token`
export const MINE = `${URL_OF_PARTY}/v1/mine/7`
export const LAB = 'IN2710000012' as FacilityId
const JWKS = 'https://lab.example/jwks.json'

export type Fields = Readonly<Record<string, string>> | [string, string][]
export type Reply = { readonly status: number; readonly body: Readonly<Record<string, unknown>> }
/** What differs from the usual client; `keys: undefined` = it has none. */
type Admission = Partial<Omit<Parameters<typeof registerClient>[1], 'keys'>> & {
  readonly keys?: ClientKeys | undefined
}
type Json = Readonly<Record<string, unknown>>
type Headers = Readonly<Record<string, string>>

/** A route that says who called. */
const MINE_ROUTE = route({
  dialect: 'native',
  auth: 'partner',
  scope: 'system/Consent.r',
  once: false,
  method: 'GET',
  path: '/v1/mine/:id',
  summary: 'test',
  answers: {},
  handle: async ({ caller }) => ({ status: 200, body: partnerOf(caller) }),
})

/** A party's door for partners, on a real database, with a clock of the test's; published keys come from the test. */
export class PartnerWorld {
  readonly clock: TestClock = makeTestClock()
  /** What was fetched from elsewhere. */
  readonly asked: OutboundCall[] = []
  published: () => CallOutcome = () => ({ kind: 'failed', reason: 'down', tookMs: 1 })
  readonly database: TestDatabase
  readonly machine: Machine
  readonly signing: SigningKey
  readonly key: TestKey
  app: FastifyInstance

  readonly #tls: TlsOptions | undefined

  private constructor(database: TestDatabase, signing: SigningKey, key: TestKey, tls: TlsOptions | undefined) {
    this.#tls = tls
    this.database = database
    this.machine = makeTestMachine(database, { clock: this.clock })
    this.signing = signing
    this.key = key
    this.app = this.#serve()
  }

  /** With three clients: `lab`, `free` (whose tokens need no key), and `web`, which publishes its keys. */
  static async start(tls?: TlsOptions): Promise<PartnerWorld> {
    const signing = importSigningKey(await generateSigningKey())
    const world = new PartnerWorld(await openTestDatabase(), signing, await makeTestKey(), tls)
    await world.admit('lab')
    await world.admit('free', { bearerAllowed: true })
    await world.admit('web', { keys: { kind: 'published', address: JWKS } })
    return world
  }

  async stop(): Promise<void> {
    await this.app.close()
    await this.database.close()
  }

  async restart(): Promise<void> {
    await this.app.close()
    this.app = this.#serve()
  }

  inTx<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return transact(this.machine, work)
  }

  async admit(clientId: string, more: Admission = {}): Promise<void> {
    const usual = {
      clientId,
      name: 'Lab system',
      facilities: [LAB],
      actor: OPERATOR,
      certificates: { thumbprints: [] },
      keys: { kind: 'inline', jwks: { keys: [{ ...this.key.jwk }] } },
      scopes: ['system/Consent.rs', 'system/AuditEvent.rs'],
      bearerAllowed: false,
    } as const
    const { keys, ...rest } = { ...usual, ...more }
    must(await this.inTx((tx) => registerClient(tx, { ...rest, ...(keys === undefined ? {} : { keys }) })))
  }

  async post(fields: Fields, headers: Headers = {}): Promise<Reply> {
    const answer = await this.app.inject({
      method: 'POST',
      url: '/oauth/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      payload: new URLSearchParams(fields).toString(),
    })
    return { status: answer.statusCode, body: answer.json() }
  }

  assertion(claims: Json = {}, header: Json = {}, by: TestKey = this.key, clientId = 'lab'): Promise<string> {
    return assertionOf(by, { clientId, tokenUrl: TOKEN_URL, now: this.clock.now(), claims, header })
  }

  proofAtToken(by: TestKey = this.key): Promise<string> {
    return dpopOf(by, { method: 'POST', url: TOKEN_URL, now: this.clock.now() })
  }

  async ask(assertion: string, more: Readonly<Record<string, string>> = {}): Promise<Reply> {
    return this.post({ ...formOf(assertion), ...more }, { dpop: await this.proofAtToken() })
  }

  async tokenOf(clientId = 'lab'): Promise<string> {
    const reply = await this.ask(await this.assertion({}, {}, this.key, clientId))
    assert.equal(reply.status, 200, JSON.stringify(reply.body))
    return String(reply.body['access_token'])
  }

  async read(headers: Headers): Promise<Reply> {
    const answer = await this.app.inject({ method: 'GET', url: '/v1/mine/7?x=1', headers })
    return { status: answer.statusCode, body: answer.json() }
  }

  /** Headers of a call with a token and a proof. */
  async dpop(token: string, claims: Json = {}, by: TestKey = this.key, header: Json = {}) {
    const proof = { method: 'GET', url: MINE, now: this.clock.now(), token, claims, header }
    return { authorization: `DPoP ${token}`, dpop: await dpopOf(by, proof) }
  }

  nowS(): number {
    return Math.floor(this.clock.now().getTime() / 1000)
  }

  #serve(): FastifyInstance {
    const outbound = {
      call: async (call: OutboundCall) => {
        this.asked.push(call)
        return this.published()
      },
      close: async () => undefined,
    }
    const publishedKeys = makePublishedKeys(outbound, this.clock.now)
    const needs = { issuer: 'sbx', signingKey: this.signing, publicUrl: URL_OF_PARTY, publishedKeys, publicKeys: [] }
    const nobody = async () => refuse('auth/invalid-token')
    return makeServer({
      machine: this.machine,
      log: pino({ level: 'silent' }),
      metrics: new Registry(),
      routes: [MINE_ROUTE, ...partnerDoorRoutes(needs)],
      dialects: { native: nativeRules, abdm: nativeRules },
      authenticate: {
        none: async () => ({ kind: 'anonymous' }),
        bridge: nobody,
        patient: nobody,
        exchange: nobody,
        operator: nobody,
        staff: nobody,
        console: nobody,
        partner: partnerCheck(needs),
      },
      mayDo,
      covers,
      certificateProxies: ['127.0.0.1'],
      ...(this.#tls === undefined ? {} : { tls: this.#tls }),
      ready: async () => [],
    })
  }
}

/** The usual form of a request for a token. */
export const formOf = (client_assertion: string) => ({
  grant_type: 'client_credentials',
  scope: 'system/Consent.rs',
  client_assertion_type: ASSERTION_TYPE,
  client_assertion,
})
export const errorOf = ({ status, body }: Reply) => [status, body['error']]
export const codeOf = ({ status, body }: Reply) => [
  status,
  (body as { readonly type?: string }).type?.replace('urn:amanat:problem:', '') ?? '',
]
