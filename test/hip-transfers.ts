import assert from 'node:assert/strict'
import { after, afterEach, before } from 'node:test'
import { dataNotify } from '../src/abdm/data-messages.ts'
import { openBody } from '../src/audit/record.ts'
import { transact } from '../src/db/tx.ts'
import type { Scanner } from '../src/records/scanner.ts'
import { existingPatientKey } from '../src/vault/data-keys.ts'
import {
  addTestPatient,
  type Bench,
  type FakeRequester,
  newId,
  openBench,
  PATIENT,
  requestBody,
  requesterKeys,
  startRequester,
} from './hip-bench.ts'

export const REQUEST = '/api/v3/hip/health-information/request'
export const ON_REQUEST = '/data-flow/v3/health-information/hip/on-request'
export const NOTIFY = '/data-flow/v3/health-information/notify'
export const ON_NOTIFY = '/consent/v3/request/hip/on-notify'

type Asked = {
  readonly transactionId?: string
  readonly dateRange?: object
  readonly keys?: ReturnType<typeof requesterKeys>
}

/** A provider with a patient and a requester, for the tests of one `describe`; both are there from `before` on. */
export function useTransfers(scanner?: () => Promise<Scanner>) {
  const world = {} as { bench: Bench; requester: FakeRequester }
  before(async () => {
    world.bench = await openBench(scanner === undefined ? {} : { scanner: await scanner() })
    world.requester = await startRequester()
    await addTestPatient(world.bench)
    await world.bench.drain()
  })
  afterEach(() => {
    const { bench, requester } = world
    bench.sent.length = 0
    requester.got.length = 0
    requester.headers.length = 0
    requester.mood = 'takes'
    bench.verdict.value = true
  })
  after(async () => {
    await world.requester.close()
    await world.bench.close()
  })
  const audit = () => world.bench.machine.db.selectFrom('audit_event').where('bucket', '>=', 0)
  return {
    get bench() {
      return world.bench
    },
    get requester() {
      return world.requester
    },
    ask: async (consentId: string, options: Asked = {}) => {
      const { bench, requester } = world
      const transactionId = options.transactionId ?? newId(bench)
      const keys = options.keys ?? requesterKeys(bench)
      const body = requestBody(consentId, transactionId, requester.url, keys.keyMaterial, options.dateRange)
      const answer = await bench.callback(REQUEST, body)
      assert.equal(answer.status, 202, answer.body)
      return { transactionId, keys, requestId: answer.requestId }
    },
    /** The error in the last message on a path. */
    errorOf: (path: string) =>
      (world.bench.last(path)?.body as { error?: { code: string; message: string } } | undefined)?.error,
    /** The last acknowledgement of an artefact. */
    acknowledged: () =>
      world.bench.last(ON_NOTIFY)?.body as
        | { readonly acknowledgement: object; readonly response: { readonly requestId: string } }
        | undefined,
    /** What the exchange was told at the end of the last transfer. */
    told: () => dataNotify.parse(world.bench.last(NOTIFY)?.body).notification,
    disclosures: async (transactionId: string) => {
      const answer = await world.bench.app.inject({ url: '/v1/disclosures?limit=100' })
      const all = answer.json().disclosures as {
        transactionId: string
        status: string
        error: string | null
        event: string
      }[]
      return all.filter((one) => one.transactionId === transactionId)
    },
    /** How many events of a type the log has. */
    events: async (type: string) => (await audit().select('id').where('type', '=', type).execute()).length,
    /** An event of the test patient, opened. */
    readEvent: async (id: string) => {
      const row = await audit().selectAll().where('id', '=', id).executeTakeFirstOrThrow()
      const key = await transact(world.bench.machine, (tx) => existingPatientKey(tx, PATIENT))
      assert.ok(key)
      return (openBody(id, row.body, { key, patient: PATIENT })?.event ?? {}) as unknown as Record<string, unknown>
    },
  }
}
