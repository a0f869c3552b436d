import type { FastifyInstance } from 'fastify'
import pino from 'pino'
import { Registry } from 'prom-client'
import { dataRequest } from '../src/abdm/data-messages.ts'
import { facilityHiuRoutes } from '../src/abdm/facility-hiu-routes.ts'
import { type HiuReactionNeeds, hiuFailures, hiuReactions } from '../src/abdm/hiu-reactions.ts'
import { abdmRules } from '../src/abdm/rules.ts'
import { type Outgoing, SEND_JOB } from '../src/abdm/send.ts'
import { makeTransferReports } from '../src/abdm/transfer-reports.ts'
import { type Machine, type Reaction, transact } from '../src/db/tx.ts'
import type { HoldBySetting } from '../src/hiu/copy.ts'
import { type HiuNeeds, hiuChores, hiuJobs } from '../src/hiu/jobs.ts'
import { hiuRoutes } from '../src/hiu/routes.ts'
import type { CallOutcome } from '../src/http/outbound.ts'
import { makeServer, nativeRules } from '../src/http/server.ts'
import { claimJobs } from '../src/jobs/queue.ts'
import { type JobHandler, settle } from '../src/jobs/worker.ts'
import { bucketOf } from '../src/kernel/bucket.ts'
import { type AbhaAddress, type FacilityId, type Id, makeId } from '../src/kernel/id.ts'
import type { Refusal } from '../src/kernel/refusal.ts'
import { mayDo } from '../src/people/rules.ts'
import type { Scanner } from '../src/records/scanner.ts'
import { openTestDatabase } from './database.ts'
import { makeTestClock, makeTestMachine, type TestClock } from './machine.ts'

export const HIU = 'IN2710000022' as FacilityId
export const HIP = 'IN2710000011' as FacilityId
/** Where the exchange would be. */
export const EXCHANGE = 'https://exchange.example/api/hiecm'
export const PATIENT = 'asha.rao@sbx' as AbhaAddress

export type Sent = Pick<Outgoing, 'path' | 'body' | 'headers' | 'requestId' | 'to'>
export type Reply = { readonly status: number; readonly json: never; readonly text: string }

export type HiuBench = {
  readonly machine: Machine
  /** By event type; a test may add its own. */
  readonly reactions: Map<string, Reaction[]>
  readonly connectionString: string
  readonly clock: TestClock
  readonly app: FastifyInstance
  /** Messages to the exchange and to its native API, in order. */
  readonly sent: Sent[]
  readonly verdict: { value: true | Refusal }
  /** What a linked address answers. */
  readonly links: Map<string, CallOutcome>
  readonly needs: HiuNeeds
  readonly drain: () => Promise<void>
  /** Runs due jobs and dies before what came of them is written; their leases then run out. */
  readonly die: () => Promise<void>
  readonly chores: () => Promise<void>
  readonly fail: (
    kind: string,
    id: string,
    error: { readonly code?: string; readonly message: string },
  ) => Promise<void>
  readonly callback: (
    path: string,
    body: object,
    headers?: Record<string, string>,
  ) => Promise<Reply & { readonly requestId: string }>
  readonly native: (method: 'GET' | 'POST' | 'DELETE', url: string, body?: object) => Promise<Reply>
  readonly push: (url: string, body: object) => Promise<Reply>
  readonly last: (path: string) => Sent | undefined
  readonly count: (event: string) => Promise<number>
  readonly rows: (table: 'hiu_page' | 'hiu_document' | 'hiu_entry' | 'hiu_early_notice') => Promise<number>
  readonly close: () => Promise<void>
}

/** A facility as user of records, on a test database; the test is its exchange and its providers. */
export async function openHiuBench(
  options: { readonly keepsByLaw?: readonly HoldBySetting[]; readonly scanner?: Scanner } = {},
): Promise<HiuBench> {
  const database = await openTestDatabase()
  const clock = makeTestClock()
  const reactions = new Map<string, Reaction[]>()
  const machine = makeTestMachine(database, { clock, reactions })
  const links = new Map<string, CallOutcome>()
  const verdict: { value: true | Refusal } = { value: true }
  const outbound = {
    call: async ({ url }: { readonly url: string }): Promise<CallOutcome> =>
      links.get(url) ?? { kind: 'forbidden', reason: 'a private address', tookMs: 1 },
  }
  const needs: HiuNeeds & HiuReactionNeeds = {
    facility: { id: HIU, name: 'Sagar Hospital' },
    publicUrl: 'http://127.0.0.1:4002',
    ...options,
    indexKey: machine.random(32),
    reportsToExchange: true,
    outbound,
    exchangeKeys: { verifyArtefact: async () => verdict.value },
    transferReport: makeTransferReports({
      facility: { id: HIU },
      outbound,
      baseUrl: EXCHANGE,
      headers: async () => ({}),
      tokenRefused: () => undefined,
    }),
  }
  for (const [type, reaction] of hiuReactions(needs)) reactions.set(type, [...(reactions.get(type) ?? []), reaction])
  const sent: Sent[] = []
  const handlers = new Map<string, JobHandler>([
    ...hiuJobs(needs),
    [SEND_JOB, async (_machine, job) => (sent.push(job.payload as Sent), { outcome: 'done' })],
  ])
  const app = serverOf(machine, needs)
  const ask = async (
    method: 'GET' | 'POST' | 'DELETE',
    url: string,
    body: object | undefined,
    headers: Record<string, string>,
  ): Promise<Reply> => {
    const answer = await app.inject({ method, url, headers, ...(body === undefined ? {} : { payload: body }) })
    return {
      status: answer.statusCode,
      text: answer.body,
      json: (answer.body === '' ? undefined : JSON.parse(answer.body)) as never,
    }
  }
  return {
    machine,
    reactions,
    connectionString: database.connectionString,
    clock,
    app,
    sent,
    verdict,
    links,
    needs,
    drain: async () => {
      for (;;) {
        const [job] = await claimJobs(machine, 1)
        if (job === undefined) return
        const handler = handlers.get(job.kind)
        if (handler === undefined) throw new Error(`no handler for ${job.kind}`)
        const result = await handler(machine, job)
        await transact(machine, (tx) => settle(tx, job, result))
      }
    },
    die: async () => {
      for (const job of await claimJobs(machine, 50)) {
        const result = await handlers.get(job.kind)?.(machine, job)
        const killed = transact(machine, async (tx) => {
          if (result !== undefined) await settle(tx, job, result)
          throw new Error('killed')
        })
        await killed.catch((error: unknown) => {
          if (!(error instanceof Error) || error.message !== 'killed') throw error
        })
      }
    },
    chores: async () => {
      for (const chore of hiuChores(machine, needs)) await chore.run()
    },
    fail: (kind, id, error) =>
      transact(machine, async (tx) => hiuFailures(needs).find(([one]) => one === kind)?.[1](tx, id, error)),
    callback: async (path, body, headers = {}) => {
      const requestId = headers['request-id'] ?? newId(machine)
      const reply = await ask('POST', path, body, {
        'request-id': requestId,
        timestamp: clock.now().toISOString(),
        'x-hiu-id': HIU,
        ...headers,
      })
      return { ...reply, requestId }
    },
    native: (method, url, body) => ask(method, url, body, {}),
    push: (url, body) => ask('POST', new URL(url).pathname, body, {}),
    last: (path) => sent.findLast((message) => message.path === path),
    count: async (event) => {
      const row = await database.db
        .selectFrom('audit_event')
        .select((eb) => eb.fn.countAll<string>().as('n'))
        .where('bucket', '>=', 0)
        .where('type', '=', event)
        .executeTakeFirstOrThrow()
      return Number(row.n)
    },
    rows: async (table) => {
      const row = await database.db
        .selectFrom(table)
        .select((eb) => eb.fn.countAll<string>().as('n'))
        .where('bucket', '>=', 0)
        .executeTakeFirstOrThrow()
      return Number(row.n)
    },
    close: async () => {
      await app.close()
      await database.close()
    },
  }
}

function serverOf(machine: Machine, needs: HiuNeeds): FastifyInstance {
  const as = (caller: object) => async () => caller as never
  return makeServer({
    machine,
    log: pino({ level: 'silent' }),
    metrics: new Registry(),
    routes: [...hiuRoutes(needs), ...facilityHiuRoutes(needs)],
    dialects: { native: nativeRules, abdm: abdmRules({}) },
    authenticate: {
      none: as({ kind: 'anonymous' }),
      bridge: as({ kind: 'anonymous' }),
      patient: as({ kind: 'anonymous' }),
      exchange: as({ kind: 'exchange', id: 'sbx' }),
      operator: as({ kind: 'operator', name: 'desk' }),
      staff: as({ kind: 'anonymous' }),
      console: as({ kind: 'anonymous' }),
      partner: as({ kind: 'anonymous' }),
    },
    mayDo,
    operatorProof: async () => ({ kind: 'operator', name: 'desk', proved: true }),
    ready: async () => [],
  })
}

export function newId<Kind extends string>(machine: Machine): Id<Kind> {
  return makeId<Kind>(machine.now(), machine.random, bucketOf(PATIENT))
}

export const CONTEXTS = ['visit-1', 'visit-2', 'visit-3'].map((careContextReference) => ({
  patientReference: 'MR-7',
  careContextReference,
}))

export const ASK = {
  patient: PATIENT,
  purpose: 'CAREMGT',
  hiTypes: ['Prescription', 'DiagnosticReport', 'OPConsultation'],
  from: '2020-01-01T00:00:00.000Z',
  to: '2026-11-22T00:00:00.000Z',
  dataEraseAt: '2027-01-01T00:00:00.000Z',
  frequency: { unit: 'HOUR', value: 1, repeats: 2 },
  requester: { name: 'Dr. Nikhil Sagar', registrationNumber: 'MH1001', registrationSystem: 'https://www.mciindia.org' },
}

export function detailOf(consentId: string, changes: object = {}): object {
  return {
    schemaVersion: 'v3',
    consentId,
    createdAt: '2026-11-22T06:00:00.000Z',
    patient: { id: PATIENT },
    careContexts: CONTEXTS,
    purpose: { text: 'Care Management', code: 'CAREMGT', refUri: 'www.abdm.gov.in' },
    hip: { id: HIP, name: 'Asha Hospital' },
    hiu: { id: HIU, name: 'Sagar Hospital' },
    consentManager: { id: 'sbx' },
    requester: { name: 'Dr. Nikhil Sagar' },
    hiTypes: ['Prescription', 'DiagnosticReport'],
    permission: {
      accessMode: 'VIEW',
      dateRange: { from: '2021-01-01T00:00:00.000Z', to: '2026-11-20T00:00:00.000Z' },
      dataEraseAt: '2026-12-22T00:00:00.000Z',
      frequency: { unit: 'HOUR', value: 1, repeats: 2 },
    },
    ...changes,
  }
}

/** Asks, and has the exchange take the request: our id and the exchange's. */
export async function askAccepted(
  bench: HiuBench,
  changes: object = {},
): Promise<{ readonly own: string; readonly exchange: string }> {
  const { id: own } = (await bench.native('POST', '/v1/consent-requests', { ...ASK, ...changes })).json as {
    id: string
  }
  await bench.drain()
  const exchange = newId<'consent-request'>(bench.machine)
  await bench.callback('/api/v3/hiu/consent/request/on-init', {
    consentRequest: { id: exchange },
    error: null,
    response: { requestId: own },
  })
  return { own, exchange }
}

export const tell = (
  bench: HiuBench,
  consentRequestId: string,
  status: string,
  artefacts: readonly string[] = [],
  reason?: string,
) =>
  bench.callback('/api/v3/hiu/consent/request/notify', {
    notification: {
      consentRequestId,
      status,
      consentArtefacts: artefacts.map((id) => ({ id })),
      ...(reason === undefined ? {} : { reason }),
    },
  })

/** Answers the last fetch. */
export async function deliver(bench: HiuBench, consentId: string, changes: object = {}): Promise<Reply> {
  const fetch = bench.sent.findLast(
    ({ path, body }) => path === '/consent/v3/fetch' && (body as { consentId: string }).consentId === consentId,
  )
  const consent = {
    status: 'GRANTED',
    consentDetail: { ...detailOf(consentId, changes), lastUpdated: '2026-11-22T06:00:00.000Z' },
    signature: 'c2lnbmF0dXJl',
  }
  return bench.callback('/api/v3/hiu/consent/on-fetch', {
    consent,
    response: { requestId: fetch?.requestId },
    resp: null,
  })
}

/** A data request under way: what a provider knows of it. */
export type Asked = {
  readonly own: string
  readonly exchange: string
  readonly consentId: string
  readonly requestId: string
  readonly dataPushUrl: string
  readonly keyMaterial: {
    readonly dhPublicKey: { readonly keyValue: string; readonly expiry: Date }
    readonly nonce: string
  }
  readonly transactionId: string
}

/** From the question to the data request that the exchange has taken (or not yet, with `early`). */
export async function granted(bench: HiuBench, changes: object = {}, early?: 'early'): Promise<Asked> {
  const { own, exchange } = await askAccepted(bench)
  const consentId = newId<'artefact'>(bench.machine)
  await tell(bench, exchange, 'GRANTED', [consentId])
  await bench.drain()
  await deliver(bench, consentId, changes)
  await bench.drain()
  return requested(bench, { own, exchange, consentId }, early)
}

export async function requested(
  bench: HiuBench,
  ids: Pick<Asked, 'own' | 'exchange' | 'consentId'>,
  early?: 'early',
): Promise<Asked> {
  const message = bench.last('/data-flow/v3/health-information/request')
  if (message === undefined) throw new Error('no data request was sent')
  const { hiRequest } = dataRequest.parse(message.body)
  const asked = {
    ...ids,
    requestId: message.requestId,
    dataPushUrl: hiRequest.dataPushUrl,
    keyMaterial: hiRequest.keyMaterial,
    transactionId: newId(bench.machine),
  }
  if (early === undefined) await acknowledgeRequest(bench, asked)
  return asked
}

export const acknowledgeRequest = (bench: HiuBench, asked: Pick<Asked, 'requestId' | 'transactionId'>) =>
  bench.callback('/api/v3/hiu/health-information/on-request', {
    hiRequest: { transactionId: asked.transactionId, sessionStatus: 'REQUESTED' },
    response: { requestId: asked.requestId },
  })
