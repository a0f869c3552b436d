import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import pino from 'pino'
import { Registry } from 'prom-client'
import type { DataPushBody } from '../src/abdm/data-messages.ts'
import { dataPush } from '../src/abdm/data-messages.ts'
import { facilityHipRoutes } from '../src/abdm/facility-hip-routes.ts'
import { hipFailures, hipReactions } from '../src/abdm/hip-reactions.ts'
import { abdmRules } from '../src/abdm/rules.ts'
import { type Outgoing, SEND_JOB } from '../src/abdm/send.ts'
import type { OwnLog } from '../src/audit/log.ts'
import { makeKeyMaterial, makeNonce, parseNonce } from '../src/crypto/key-agreement.ts'
import { parsePeerKey } from '../src/crypto/key-material.ts'
import { makeKeyPair, open } from '../src/crypto/sealing.ts'
import { makeSigner } from '../src/crypto/signed-note.ts'
import { type Machine, type Reaction, transact } from '../src/db/tx.ts'
import type { DocumentInput } from '../src/fhir/build/inputs.ts'
import { SAMPLE_INPUTS } from '../src/fhir/build/sample-inputs.ts'
import { type HipNeeds, hipJobs } from '../src/hip/jobs.ts'
import { hipRoutes } from '../src/hip/routes.ts'
import { makeOutbound, type Outbound } from '../src/http/outbound.ts'
import { makeServer, nativeRules } from '../src/http/server.ts'
import { claimJobs, type Job } from '../src/jobs/queue.ts'
import { type JobHandler, settle } from '../src/jobs/worker.ts'
import { bucketOf } from '../src/kernel/bucket.ts'
import { type AbhaAddress, type FacilityId, type Id, makeId } from '../src/kernel/id.ts'
import { isRefusal, must, type Refusal } from '../src/kernel/refusal.ts'
import { facilityPartnerRoutes } from '../src/native/facility-partner-routes.ts'
import { mayDo } from '../src/people/rules.ts'
import { addPatient, addRecord } from '../src/records/commands.ts'
import { ownSource } from '../src/records/own-source.ts'
import type { RecordSource } from '../src/records/record.ts'
import type { Scanner } from '../src/records/scanner.ts'
import { openTestDatabase } from './database.ts'
import { makeTestClock, makeTestMachine, type TestClock } from './machine.ts'

export const HIP = 'IN2710000011' as FacilityId
export const HIU = 'IN2710000022' as FacilityId
export const PATIENT = 'meena.test@sbx' as AbhaAddress
export const REFERENCE = 'T-1'

/** How a fake requester behaves. */
export type Mood =
  | 'takes'
  | 'error-500'
  | 'refuses'
  | 'unauthorised'
  | 'rubbish'
  | 'redirects'
  | 'hangs'
  | 'drops-before'
  | 'takes-then-drops'

export type FakeRequester = {
  readonly url: string
  readonly got: DataPushBody[]
  readonly headers: IncomingMessage['headers'][]
  mood: Mood
  readonly close: () => Promise<void>
}

/** A requester on a real port that takes pages, or fails in the way its mood says. */
export async function startRequester(): Promise<FakeRequester> {
  const got: DataPushBody[] = []
  const headers: IncomingMessage['headers'][] = []
  const state = { mood: 'takes' as Mood }
  const server: Server = createServer((request, response) => void serve(request, response))
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { mood } = state
    if (mood === 'drops-before') return void request.socket.destroy()
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    if (mood === 'hangs') return
    if (mood === 'takes' || mood === 'rubbish' || mood === 'takes-then-drops') {
      got.push(dataPush.parse(JSON.parse(Buffer.concat(chunks).toString('utf8'))) as never)
      headers.push(request.headers)
    }
    if (mood === 'takes-then-drops') return void request.socket.destroy()
    if (mood === 'rubbish') return void response.writeHead(202).end('<html>\u0000{{{')
    if (mood === 'redirects') return void response.writeHead(307, { location: 'http://127.0.0.1:1/elsewhere' }).end()
    response.writeHead(mood === 'takes' ? 202 : mood === 'refuses' ? 400 : mood === 'unauthorised' ? 401 : 500).end()
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/push`,
    got,
    headers,
    get mood() {
      return state.mood
    },
    set mood(mood) {
      state.mood = mood
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export type Sent = Pick<Outgoing, 'path' | 'body' | 'headers' | 'requestId'> & {
  readonly failure?: { readonly kind: string; readonly id: string }
}

export type Bench = {
  readonly machine: Machine
  readonly clock: TestClock
  readonly app: FastifyInstance
  /** Messages to the exchange, in order. */
  readonly sent: Sent[]
  /** Text messages. */
  readonly texts: { readonly mobile: string; readonly text: string }[]
  readonly verdict: { value: true | Refusal }
  readonly sources: RecordSource[]
  readonly needs: HipNeeds
  /** How long it waits for a requester: briefly for one that never answers. */
  readonly patience: { isShort: boolean }
  /** Runs due jobs until none is due; messages to the exchange are kept, not sent. */
  readonly drain: (options?: { readonly only?: string }) => Promise<void>
  /** Runs the due jobs of a kind once, and dies before what came of them is written. */
  readonly dieAfter: (kind: string) => Promise<void>
  /** Runs all due jobs at the same time. */
  readonly runTogether: () => Promise<void>
  readonly failSend: (
    kind: string,
    id: string,
    error: { readonly code?: string; readonly message: string },
  ) => Promise<void>
  /** A callback of the exchange. */
  readonly callback: (
    path: string,
    body: object,
    headers?: Record<string, string>,
  ) => Promise<{ readonly status: number; readonly body: string; readonly requestId: string }>
  readonly last: (path: string) => Sent | undefined
  readonly close: () => Promise<void>
}

/** A facility on a test database whose exchange is the test. */
export async function openBench(options: { readonly scanner?: Scanner } = {}): Promise<Bench> {
  const database = await openTestDatabase()
  const clock = makeTestClock()
  const reactions = new Map<string, Reaction[]>()
  const machine = makeTestMachine(database, { clock, reactions })
  const real = makeOutbound({ allowPrivateNetworks: true, nowMs: () => performance.now() })
  // One that hangs must not hold the tests up for the whole of our patience; the others answer, on a busy machine later than that.
  const patience: Bench['patience'] = { isShort: false }
  const outbound: Outbound = {
    ...real,
    call: (wanted) => real.call(patience.isShort ? { ...wanted, timeoutMs: 300 } : wanted),
  }
  const sources: RecordSource[] = [ownSource]
  const verdict: { value: true | Refusal } = { value: true }
  const needs: HipNeeds = {
    facility: { id: HIP, name: 'Test Hospital' },
    exchange: { id: 'sbx' },
    indexKey: machine.random(32),
    sources,
    outbound,
    ...options,
  }
  for (const [type, reaction] of hipReactions(needs)) reactions.set(type, [...(reactions.get(type) ?? []), reaction])
  const sent: Sent[] = []
  const texts: Bench['texts'] = []
  const handlers = new Map<string, JobHandler>([
    ...hipJobs(needs),
    [SEND_JOB, async (_machine, job) => (sent.push(job.payload as Sent), { outcome: 'done' })],
    ['text-message', async (_machine, job) => (texts.push(job.payload as never), { outcome: 'done' })],
  ])
  const app = serverOf(machine, needs, verdict)
  return {
    machine,
    clock,
    app,
    sent,
    texts,
    verdict,
    sources,
    needs,
    patience,
    drain: (options) => drain(machine, handlers, options?.only),
    dieAfter: async (kind) => {
      for (const job of await claimJobs(machine, 10)) if (job.kind === kind) await handlers.get(kind)?.(machine, job)
    },
    runTogether: async () => {
      const jobs = await claimJobs(machine, 50)
      await Promise.all(
        jobs.map(async (job) => {
          const result = await handlers.get(job.kind)?.(machine, job)
          if (result !== undefined) await transact(machine, (tx) => settle(tx, job, result))
        }),
      )
    },
    failSend: (kind, id, error) =>
      transact(machine, async (tx) => hipFailures(needs).find(([one]) => one === kind)?.[1](tx, id, error)),
    callback: async (path, body, headers = {}) => {
      const requestId = headers['request-id'] ?? makeId<'request'>(clock.now(), machine.random, bucketOf('x'))
      const answer = await app.inject({
        method: 'POST',
        url: path,
        payload: body,
        headers: { 'request-id': requestId, timestamp: clock.now().toISOString(), 'x-hip-id': HIP, ...headers },
      })
      return { status: answer.statusCode, body: answer.body, requestId }
    },
    last: (path) => sent.findLast((message) => message.path === path),
    close: async () => {
      await app.close()
      await outbound.close()
      await database.close()
    },
  }
}

/** The log of the provider of these tests. */
export const BENCH_LOG: OwnLog = { signer: makeSigner('hospital.test/log', new Uint8Array(32).fill(9)), witnesses: [] }

function serverOf(machine: Machine, needs: HipNeeds, verdict: { value: true | Refusal }): FastifyInstance {
  const as = (caller: object) => async () => caller as never
  return makeServer({
    machine,
    log: pino({ level: 'silent' }),
    metrics: new Registry(),
    routes: [
      ...hipRoutes(needs),
      ...facilityPartnerRoutes({ ...needs, ownLog: BENCH_LOG }),
      ...facilityHipRoutes({ ...needs, exchangeKeys: { verifyArtefact: async () => verdict.value } }),
    ],
    dialects: { native: nativeRules, abdm: abdmRules({}) },
    authenticate: {
      none: as({ kind: 'anonymous' }),
      bridge: as({ kind: 'anonymous' }),
      patient: as({ kind: 'anonymous' }),
      exchange: as({ kind: 'exchange', id: 'sbx' }),
      operator: as({ kind: 'operator', name: 'desk' }),
      staff: as({ kind: 'anonymous' }),
      console: as({ kind: 'anonymous' }),
      partner: async (_tx, headers) => ({
        kind: 'partner',
        clientId: 'partner',
        facilities: [(headers['x-partner'] ?? '') as FacilityId],
        scopes: [],
        purposes: [],
      }),
    },
    mayDo,
    covers: () => true,
    ready: async () => [],
  })
}

async function drain(
  machine: Machine,
  handlers: ReadonlyMap<string, JobHandler>,
  only: string | undefined,
): Promise<void> {
  for (;;) {
    const jobs: readonly Job[] = await claimJobs(machine, 1)
    const [job] = jobs
    if (job === undefined) return
    const handler = handlers.get(job.kind)
    if (handler === undefined) throw new Error(`no handler for ${job.kind}`)
    const result = await handler(machine, job)
    await transact(machine, (tx) => settle(tx, job, result))
    if (job.kind === only) return
  }
}

/** A sample input of the test patient. */
export function sampleOf(hiType: DocumentInput['hiType']): DocumentInput {
  const found = SAMPLE_INPUTS.find((input) => input.hiType === hiType)
  if (found === undefined) throw new Error(`no sample of ${hiType}`)
  return found
}

/** Registers the test patient with a prescription (`cc-1`) and an invoice (`cc-2`). */
export async function addTestPatient(
  bench: Bench,
  options: { readonly linked: boolean } = { linked: true },
): Promise<void> {
  const actor = { kind: 'operator', id: 'desk' } as const
  await transact(bench.machine, async (tx) => {
    const base = {
      reference: REFERENCE,
      name: 'Meena Test',
      gender: 'female',
      birthDate: '1980-02-29',
      mobile: '9000000099',
    } as const
    const abha = { abhaAddress: PATIENT, abhaNumber: '91000000009999' as never }
    must(await addPatient(tx, bench.needs, actor, options.linked ? { ...base, ...abha } : base))
    must(await addRecord(tx, actor, REFERENCE, { careContextReference: 'cc-1', input: sampleOf('Prescription') }))
    must(await addRecord(tx, actor, REFERENCE, { careContextReference: 'cc-2', input: sampleOf('Invoice') }))
  })
}

export function newId<Kind extends string>(bench: Bench): Id<Kind> {
  return makeId<Kind>(bench.clock.now(), bench.machine.random, bucketOf(PATIENT))
}

export function detailOf(consentId: string, changes: object = {}): object {
  return {
    schemaVersion: 'v3',
    consentId,
    createdAt: '2026-11-22T06:00:00.000Z',
    patient: { id: PATIENT },
    careContexts: [
      { patientReference: REFERENCE, careContextReference: 'cc-1' },
      { patientReference: REFERENCE, careContextReference: 'cc-2' },
    ],
    purpose: { text: 'Care Management', code: 'CAREMGT', refUri: null },
    hip: { id: HIP, name: 'Test Hospital' },
    hiu: { id: HIU, name: 'Other Hospital' },
    consentManager: { id: 'sbx' },
    requester: { name: 'Dr. B' },
    hiTypes: ['Prescription', 'Invoice'],
    permission: {
      accessMode: 'VIEW',
      dateRange: { from: '2025-01-01T00:00:00.000Z', to: '2026-11-01T00:00:00.000Z' },
      dataEraseAt: '2026-12-22T00:00:00.000Z',
      frequency: { unit: 'HOUR', value: 1, repeats: 10 },
    },
    ...changes,
  }
}

/** Tells the facility of a grant; answers the consent id. */
export async function grant(bench: Bench, changes: object = {}): Promise<Id<'artefact'>> {
  const consentId = newId<'artefact'>(bench)
  await notify(bench, { status: 'GRANTED', consentId, consentDetail: detailOf(consentId, changes), signature: 'c2ln' })
  return consentId
}

export async function notify(
  bench: Bench,
  notification: object,
): Promise<{ readonly status: number; readonly body: string }> {
  return bench.callback('/api/v3/consent/request/hip/notify', { notification })
}

/** The requester's end of the sealing. */
export function requesterKeys(bench: Bench, expiry = new Date(bench.clock.now().getTime() + 3_600_000)) {
  const own = makeKeyPair(bench.machine.random)
  const ownNonce = makeNonce(bench.machine.random)
  const keyMaterial = makeKeyMaterial(own, ownNonce, expiry, 'raw')
  const openPage = (page: DataPushBody): string[] =>
    page.entries.map((entry) => {
      const peer = must(parsePeerKey(page.keyMaterial.dhPublicKey.keyValue))
      const opened = open({
        own,
        ownNonce,
        peer,
        peerNonce: must(parseNonce(page.keyMaterial.nonce)),
        content: entry.content ?? '',
      })
      if (isRefusal(opened)) throw new Error(opened.detail)
      return new TextDecoder().decode(opened)
    })
  return { keyMaterial, openPage }
}

export function requestBody(
  consentId: string,
  transactionId: string,
  url: string,
  keyMaterial: object,
  dateRange: object = { from: '2025-01-01T00:00:00.000Z', to: '2026-11-01T00:00:00.000Z' },
): object {
  return { transactionId, hiRequest: { consent: { id: consentId }, dateRange, dataPushUrl: url, keyMaterial } }
}
