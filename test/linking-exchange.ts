import { randomUUID } from 'node:crypto'
import pino from 'pino'
import { Registry } from 'prom-client'
import { exchangeGatewayRoutes } from '../src/abdm/exchange-gateway-routes.ts'
import { exchangeLinkingReactions } from '../src/abdm/exchange-linking-reactions.ts'
import { exchangeLinkingRoutes } from '../src/abdm/exchange-linking-routes.ts'
import { exchangeLockerRoutes } from '../src/abdm/exchange-locker-routes.ts'
import { exchangeShareReactions } from '../src/abdm/exchange-share-reactions.ts'
import { exchangeShareRoutes } from '../src/abdm/exchange-share-routes.ts'
import { exchangeSubscriptionReactions } from '../src/abdm/exchange-subscription-reactions.ts'
import { exchangeSubscriptionRoutes } from '../src/abdm/exchange-subscription-routes.ts'
import { abdmRules } from '../src/abdm/rules.ts'
import { type Outgoing, SEND_JOB } from '../src/abdm/send.ts'
import { generateSigningKey, importSigningKey } from '../src/crypto/signature.ts'
import { type Machine, type Reaction, type Tx, transact } from '../src/db/tx.ts'
import type { Headers } from '../src/http/server.ts'
import { makeServer, nativeRules } from '../src/http/server.ts'
import { claimJobs } from '../src/jobs/queue.ts'
import { settle } from '../src/jobs/worker.ts'
import type { AbhaAddress, AbhaNumber, FacilityId } from '../src/kernel/id.ts'
import { must, refuse } from '../src/kernel/refusal.ts'
import { ANSWER_DUE_JOB } from '../src/linking/discovery-commands.ts'
import { answerDue } from '../src/linking/jobs.ts'
import type { LinkNeeds } from '../src/linking/link-commands.ts'
import { linkingReactions } from '../src/linking/reactions.ts'
import type { Role } from '../src/partners/bridge.ts'
import { registerBridge } from '../src/partners/commands.ts'
import { verifySession } from '../src/partners/session-commands.ts'
import { enrolPatient, issuePatientToken, verifyPatientToken } from '../src/people/commands.ts'
import type { Profile } from '../src/people/patient.ts'
import { mayDo } from '../src/people/rules.ts'
import { bearerOf } from '../src/vault/token.ts'
import { openTestDatabase } from './database.ts'
import { makeTestClock, makeTestMachine, type TestClock } from './machine.ts'

export const OPERATOR = { kind: 'operator', id: 'test' } as const

export const ASHA: Profile = {
  abhaAddress: 'asha.rao@sbx' as AbhaAddress,
  abhaNumber: '91000000000001' as AbhaNumber,
  name: 'Asha Rao',
  gender: 'F',
  birthDate: '1990-03-02',
  mobile: '9999999999',
  language: 'mr',
}
export const RAVI: Profile = {
  ...ASHA,
  abhaAddress: 'ravi.k@sbx' as AbhaAddress,
  abhaNumber: '91000000000002' as AbhaNumber,
  name: 'Ravi Kumar',
  gender: 'M',
}
/** Eleven years old at the start of the clock; Asha is the guardian. */
export const MEERA: Profile = {
  ...ASHA,
  abhaAddress: 'meera.rao@sbx' as AbhaAddress,
  abhaNumber: '91000000000003' as AbhaNumber,
  name: 'Meera Rao',
  birthDate: '2015-01-31',
  guardian: ASHA.abhaAddress,
}

export const HOSPITAL = 'IN2710000011' as FacilityId
export const OTHER_HOSPITAL = 'IN2710000012' as FacilityId
export const APP = 'IN2710000021' as FacilityId
export const LOCKER = 'IN2710000031' as FacilityId

const BRIDGES = {
  'bridge-hospital': { id: HOSPITAL, name: 'City Hospital', roles: ['hip'] },
  'bridge-other': { id: OTHER_HOSPITAL, name: 'Lakeview Hospital', roles: ['hip', 'hiu'] },
  'bridge-app': { id: APP, name: 'My Health', roles: ['phr', 'hiu'] },
  'bridge-locker': { id: LOCKER, name: 'Safe Locker', roles: ['health-locker'] },
} as const satisfies Record<string, { id: FacilityId; name: string; roles: readonly Role[] }>
export type BridgeId = keyof typeof BRIDGES

export type Reply = {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly requestId: string
  readonly type: string | undefined
}
type Method = 'GET' | 'POST' | 'PUT' | 'PATCH'
type Extra = { readonly headers?: Record<string, string>; readonly method?: Method }

export type LinkingExchange = {
  readonly machine: Machine
  readonly clock: TestClock
  readonly needs: LinkNeeds
  readonly secrets: Readonly<Record<BridgeId, string>>
  readonly inTx: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>
  /** A call with these headers and nothing else. Paths are below `/api/hiecm`. */
  readonly call: (
    method: Method,
    path: string,
    body: object | undefined,
    headers?: Record<string, string>,
  ) => Promise<Reply>
  /** A call of a bridge that is logged in, `X-HIP-ID` naming its own facility. */
  readonly asBridge: (bridge: BridgeId, path: string, body?: object, extra?: Extra) => Promise<Reply>
  /** A call of a patient that is logged in, from the app. */
  readonly asPatient: (
    patient: AbhaAddress,
    method: Method,
    path: string,
    body?: object,
    headers?: Record<string, string>,
  ) => Promise<Reply>
  /** Messages that wait to leave, oldest first; each call empties the list. */
  readonly takeSent: () => Promise<readonly Outgoing[]>
  /** Runs the jobs that wait for a HIP's answer and are due. */
  readonly runDue: () => Promise<void>
  /** Payloads of waiting jobs of a kind. */
  readonly waiting: (kind: string) => Promise<readonly unknown[]>
  readonly eventTypes: () => Promise<readonly string[]>
  readonly close: () => Promise<void>
}

/** An exchange with everything about linking, real sessions and a real database; what it sends stays in the queue. */
export async function startLinkingExchange(): Promise<LinkingExchange> {
  const database = await openTestDatabase()
  const clock = makeTestClock()
  const needs: LinkNeeds = {
    exchange: { id: 'sbx', name: 'Test exchange' },
    signingKey: importSigningKey(await generateSigningKey()),
    indexKey: new Uint8Array(32).fill(7),
    publicUrl: 'http://127.0.0.1:4000',
  }
  const machine = makeTestMachine(database, { clock, reactions: registered() })
  const inTx = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => transact(machine, work)
  const secrets = await inTx((tx) => settleIn(tx, needs))
  const app = makeServer({
    machine,
    log: pino({ level: 'silent' }),
    metrics: new Registry(),
    routes: [
      ...exchangeGatewayRoutes({ ...needs, sandbox: false }),
      ...exchangeLinkingRoutes(needs),
      ...exchangeShareRoutes(),
      ...exchangeSubscriptionRoutes(),
      ...exchangeLockerRoutes(),
    ],
    dialects: { native: nativeRules, abdm: abdmRules({ cmId: 'sbx' }) },
    authenticate: checks(needs),
    mayDo,
    ready: async () => [],
  })
  const call: LinkingExchange['call'] = async (method, path, body, headers = {}) => {
    const requestId = headers['request-id'] ?? randomUUID()
    const answer = await app.inject({
      method,
      url: `/api/hiecm${path}`,
      headers: { 'request-id': requestId, timestamp: clock.now().toISOString(), 'x-cm-id': 'SBX', ...headers },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    })
    const parsed = answer.body === '' ? {} : (JSON.parse(answer.body) as Record<string, unknown>)
    return {
      status: answer.statusCode,
      body: parsed,
      requestId,
      type: answer.headers['content-type'] as string | undefined,
    }
  }
  const login = async (bridge: BridgeId): Promise<string> => {
    const reply = await call('POST', '/gateway/v3/sessions', {
      clientId: bridge,
      clientSecret: secrets[bridge],
      grantType: 'client_credentials',
    })
    return String(reply.body['accessToken'])
  }
  return {
    machine,
    clock,
    needs,
    secrets,
    inTx,
    call,
    asBridge: async (bridge, path, body, { headers = {}, method = 'POST' } = {}) =>
      call(method, path, body, {
        authorization: `Bearer ${await login(bridge)}`,
        'x-hip-id': BRIDGES[bridge].id,
        ...headers,
      }),
    asPatient: async (patient, method, path, body, headers = {}) => {
      const { token } = must(await inTx((tx) => issuePatientToken(tx, needs, { patient, actor: OPERATOR })))
      return call(method, path, body, { 'x-auth-token': token, 'x-hiu-id': APP, ...headers })
    },
    takeSent: () => inTx(takeJobs),
    runDue: async () => {
      for (const job of await claimJobs(machine, 100)) {
        if (job.kind !== ANSWER_DUE_JOB) continue
        const result = await answerDue(machine, job)
        await inTx((tx) => settle(tx, job, result))
      }
    },
    waiting: async (kind) =>
      (
        await machine.db
          .selectFrom('job')
          .select('payload')
          .where('kind', '=', kind)
          .where('status', '=', 'waiting')
          .orderBy('seq')
          .execute()
      ).map((row) => row.payload),
    eventTypes: async () =>
      (await database.pool.query<{ type: string }>('select type from audit_event order by at, id')).rows.map(
        ({ type }) => type,
      ),
    close: async () => {
      await app.close()
      await database.close()
    },
  }
}

function registered(): Map<string, Reaction[]> {
  const reactions = new Map<string, Reaction[]>()
  const all = [
    ...exchangeLinkingReactions,
    ...exchangeShareReactions,
    ...linkingReactions,
    ...exchangeSubscriptionReactions,
  ]
  for (const [type, reaction] of all) reactions.set(type, [...(reactions.get(type) ?? []), reaction])
  return reactions
}

function checks(needs: LinkNeeds) {
  const nobody = async () => ({ kind: 'anonymous' }) as const
  return {
    none: nobody,
    exchange: nobody,
    operator: nobody,
    staff: nobody,
    console: nobody,
    partner: nobody,
    bridge: async (tx: Tx, headers: Headers) => {
      const token = bearerOf(headers['authorization'])
      return token === undefined ? refuse('auth/missing-token') : verifySession(tx, needs, token)
    },
    patient: async (tx: Tx, headers: Headers) => {
      const token = bearerOf(headers['x-auth-token'])
      return token === undefined ? refuse('auth/invalid-patient-token') : verifyPatientToken(tx, needs, token)
    },
  }
}

async function settleIn(tx: Tx, needs: LinkNeeds): Promise<Record<BridgeId, string>> {
  for (const profile of [ASHA, RAVI, MEERA]) must(await enrolPatient(tx, needs, { profile, actor: OPERATOR }))
  const secrets: Partial<Record<BridgeId, string>> = {}
  for (const [clientId, service] of Object.entries(BRIDGES)) {
    const services = [{ ...service, isActive: true }]
    const bridge = must(
      await registerBridge(tx, {
        clientId,
        name: clientId,
        url: `http://127.0.0.1:9/${clientId}/`,
        services,
        actor: OPERATOR,
      }),
    )
    secrets[clientId as BridgeId] = bridge.clientSecret
  }
  return secrets as Record<BridgeId, string>
}

async function takeJobs(tx: Tx): Promise<readonly Outgoing[]> {
  const waiting = await tx.db
    .selectFrom('job')
    .select(['id', 'payload'])
    .where('kind', '=', SEND_JOB)
    .where('status', '=', 'waiting')
    .orderBy('seq')
    .execute()
  for (const { id } of waiting)
    await tx.db.updateTable('job').set({ status: 'done', ended_at: tx.now }).where('id', '=', id).execute()
  return waiting.map(({ payload }) => payload as Outgoing)
}
