import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import {
  ASHA,
  CLINIC,
  HOSPITAL,
  INSURER,
  LAB,
  startTestExchange,
  type TestExchange,
} from '../../test/consent-exchange.ts'
import { consentSteps, RANGE } from '../../test/consent-steps.ts'
import { meSteps } from '../../test/me-steps.ts'
import type { Artefact } from '../consent/consent.ts'
import { artefactsOfRequest } from '../consent/readers.ts'
import { HI_TYPES } from '../fhir/hi-type.ts'
import type { Id } from '../kernel/id.ts'
import { must } from '../kernel/refusal.ts'

let exchange: TestExchange
const { requested, ask, permission } = consentSteps(() => exchange)
const me = meSteps(() => exchange)
describe('native/me-allow-bounds', () => {
  before(async () => {
    exchange = await startTestExchange()
  })
  after(() => exchange.close())

  const ASKED = { hiTypes: ['OPConsultation', 'DiagnosticReport'], frequency: { unit: 'HOUR', value: 1, repeats: 2 } }
  const LINKED = ['MRN-1/visit-1', 'MRN-1/visit-2', 'L-77/report-1']

  const day = (from: string, to: string): fc.Arbitrary<string> =>
    fc.date({ min: new Date(from), max: new Date(to), noInvalidDate: true }).map((date) => date.toISOString())
  const context = fc.constantFrom(...LINKED, 'MRN-2/visit-9', 'MRN-1/nothing').map((name) => {
    const [patientReference = '', careContextReference = ''] = name.split('/')
    return { patientReference, careContextReference }
  })
  /** Bodies around the edge of what was asked, with fields that nobody asked for. */
  const edge = fc.record({
    hip: fc.constantFrom(HOSPITAL, LAB, CLINIC, INSURER),
    hiTypes: fc.oneof(
      fc.subarray(ASKED.hiTypes, { minLength: 1 }),
      fc.subarray([...HI_TYPES], { minLength: 1, maxLength: 3 }),
    ),
    careContexts: fc.array(context, { minLength: 1, maxLength: 3 }),
    period: fc.record({ from: day('2023-12-01', '2024-06-01'), to: day('2026-06-01', '2026-12-01') }),
    eraseAt: day('2026-12-01', '2027-01-10'),
    permission: fc.constant({ accessMode: 'STORE', frequency: { unit: 'HOUR', value: 1, repeats: 1_000 } }),
    accessMode: fc.constant('STORE'),
  })
  /** What lies within, so that some are granted: of one hospital, that patient's own visits, inside of the days. */
  const within = fc.record({
    hip: fc.constant(HOSPITAL),
    hiTypes: fc.subarray(ASKED.hiTypes, { minLength: 1 }),
    careContexts: fc.subarray(
      ['visit-1', 'visit-2'].map((careContextReference) => ({ patientReference: 'MRN-1', careContextReference })),
      { minLength: 1 },
    ),
    period: fc.record({ from: day('2024-01-02', '2024-06-01'), to: day('2026-06-01', '2026-10-31') }),
    eraseAt: day('2026-12-01', '2026-12-10'),
  })
  const bodies = fc.oneof(
    fc.array(edge, { minLength: 1, maxLength: 3 }),
    within.map((item) => [item]),
    fc.tuple(within, edge),
  )

  test('whatever the body says, nothing is allowed beyond what was asked', async () => {
    let granted = 0
    await fc.assert(
      fc.asyncProperty(bodies, fc.boolean(), async (consents, isOneHip) => {
        const asked = { ...permission(), frequency: ASKED.frequency }
        const body = ask({ hiTypes: ASKED.hiTypes, permission: asked, ...(isOneHip ? { hip: { id: HOSPITAL } } : {}) })
        const id = await requested(body)
        const reply = await me.allow(id, consents)
        const artefacts = await exchange.inTx(async (tx) =>
          must(await artefactsOfRequest(tx, ASHA, id as Id<'consent-request'>)),
        )
        if (reply.status !== 200) {
          assert.ok(reply.status >= 400 && reply.status < 500, JSON.stringify(reply))
          assert.equal(artefacts.length, 0)
          // Only so many of one asker may wait.
          const denied = await exchange.asPatient(ASHA, 'POST', `/consent/v3/request/${id}/deny`, { reason: 'no' })
          assert.equal(denied.status, 202, JSON.stringify(denied.body))
          await exchange.takeSent()
          return
        }
        granted += 1
        assert.equal(artefacts.length, consents.length)
        for (const artefact of artefacts) insistOnWithin(artefact, asked.dataEraseAt, isOneHip)
      }),
      { numRuns: 60 },
    )
    assert.ok(granted > 0, 'some of the bodies lie within what was asked')
  })

  function insistOnWithin({ detail, hip }: Artefact, eraseAt: string, isOneHip: boolean): void {
    if (isOneHip) assert.equal(hip, HOSPITAL)
    assert.ok(detail.hiTypes.every((type) => ASKED.hiTypes.includes(type)))
    assert.ok(detail.permission.dateRange.from >= RANGE.from)
    assert.ok(detail.permission.dateRange.to <= RANGE.to)
    assert.ok(detail.permission.dataEraseAt <= eraseAt)
    assert.equal(detail.permission.accessMode, 'VIEW')
    assert.deepEqual(detail.permission.frequency, ASKED.frequency)
    const own = hip === LAB ? ['L-77/report-1'] : ['MRN-1/visit-1', 'MRN-1/visit-2']
    for (const { patientReference, careContextReference } of detail.careContexts)
      assert.ok(own.includes(`${patientReference}/${careContextReference}`))
  }
})
