import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ASHA, CLINIC, INDEX_KEY, RAVI, startTestExchange, type TestExchange } from '../../test/consent-exchange.ts'
import { consentSteps, DAY_MS } from '../../test/consent-steps.ts'
import { workOffJobs } from '../../test/work-off.ts'
import { type AbhaAddress, type AbhaNumber, type FacilityId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { must } from '../kernel/refusal.ts'
import { TEXT_MESSAGE_JOB } from '../linking/link-commands.ts'
import { registerBridge } from '../partners/commands.ts'
import { enrolPatient } from '../people/commands.ts'
import { askConsent } from './commands.ts'
import { requestTextJobs } from './jobs.ts'
import { createPolicy } from './policy-commands.ts'

const OPERATOR = { kind: 'operator', id: 'test' } as const
const CHILD = 'kiran.rao@sbx' as AbhaAddress

describe('consent/request-text', () => {
  let exchange: TestExchange
  before(async () => {
    exchange = await startTestExchange()
    await exchange.inTx(async (tx) => {
      const services = Array.from({ length: 8 }, (_, i) => ({
        id: `IN271000009${i}` as FacilityId,
        name: `Asker ${i}`,
        roles: ['hiu' as const],
        isActive: true,
      }))
      must(
        await registerBridge(tx, {
          clientId: 'askers',
          name: 'A',
          url: 'http://127.0.0.1:9',
          services,
          actor: OPERATOR,
        }),
      )
      const profile = {
        abhaAddress: CHILD,
        abhaNumber: '91000000000009' as AbhaNumber,
        name: 'Kiran Rao',
        gender: 'F' as const,
        birthDate: '2019-02-01',
        mobile: '9000000009',
        language: 'en',
        guardian: ASHA,
        guardianBasis: 'parent' as const,
      }
      must(await enrolPatient(tx, { indexKey: INDEX_KEY }, { profile, actor: OPERATOR }))
    })
  })
  after(() => exchange.close())

  const { ask, init } = consentSteps(() => exchange)

  /** The texts that go out now; each call empties the list. */
  async function texts(): Promise<readonly { readonly mobile: string; readonly text: string }[]> {
    await workOffJobs(exchange.machine, requestTextJobs(exchange.needs))
    return exchange.inTx(async (tx) => {
      const found = tx.db.selectFrom('job').select('payload').where('kind', '=', TEXT_MESSAGE_JOB)
      const rows = await found.where('status', '=', 'waiting').orderBy('seq').execute()
      await tx.db.updateTable('job').set({ status: 'done' }).where('kind', '=', TEXT_MESSAGE_JOB).execute()
      return rows.map(({ payload }) => {
        const { mobile, text } = payload as { mobile: string; text: string }
        return { mobile, text }
      })
    })
  }
  async function askAs(hiu: FacilityId, patient: AbhaAddress): Promise<void> {
    const now = exchange.clock.now()
    const proposal = {
      purpose: { code: 'CAREMGT' },
      patient,
      hiu,
      careContexts: [],
      requester: { name: 'Dr X' },
      hiTypes: ['Prescription'] as const,
      permission: {
        accessMode: 'VIEW' as const,
        dateRange: { from: new Date('2024-01-01'), to: now },
        dataEraseAt: new Date(now.getTime() + 30 * DAY_MS),
        frequency: { unit: 'HOUR' as const, value: 1, repeats: 1 },
      },
    }
    must(await exchange.inTx((tx) => askConsent(tx, exchange.needs, { proposal, requestId: crypto.randomUUID() })))
  }

  test('who is asked is told by a text message, once a day for each asker, without a word about health', async () => {
    assert.equal((await init()).status, 202)
    assert.equal((await init()).status, 202)
    assert.deepEqual(await texts(), [
      {
        mobile: '9000000000',
        text: 'Test exchange: Lakeview Clinic asks to see the health records of Asha Rao. Open the app to allow or refuse. Nobody gets anything before.',
      },
    ])
    exchange.clock.advance(LIMITS.requestTextEveryMs + 1_000)
    assert.equal((await init()).status, 202)
    assert.equal((await texts()).length, 1)
    assert.ok((await exchange.eventTypes()).includes('consent.patient-told'))
  })

  test('a standing approval that grants something is told, too, in its own words', async () => {
    const period = { from: new Date(0), to: new Date('2027-01-01') }
    const source = { hiTypes: ['OPConsultation'] as const, purpose: 'CAREMGT', period }
    const terms = { isApplicableForAllHIPs: true, includedSources: [source], excludedSources: [] }
    const actor = { kind: 'patient', id: ASHA } as const
    must(await exchange.inTx((tx) => createPolicy(tx, { patient: ASHA, hiu: CLINIC, terms, actor })))
    for (let i = 0; i < 2; i++)
      assert.equal((await init({ consent: { ...ask().consent, hiTypes: ['OPConsultation'] } })).status, 202)
    assert.deepEqual(
      (await texts()).map(({ text }) => text),
      [
        'Test exchange: Lakeview Clinic may now see health records of Asha Rao, by your standing choice. You can stop it in the app at any time.',
      ],
    )
  })

  test('of many askers a few are told one by one, and the rest together a day later, if it still waits', async () => {
    for (let i = 0; i < 8; i++) await askAs(`IN271000009${i}` as FacilityId, RAVI)
    assert.equal((await texts()).length, LIMITS.requestTextsPerDayMax)
    exchange.clock.advance(LIMITS.requestTextEveryMs + 1_000)
    assert.deepEqual(
      (await texts()).map(({ text }) => text),
      [
        'Test exchange: 8 requests to see the health records of Ravi Kumar wait. Open the app to allow or refuse. Nobody gets anything before.',
      ],
    )
    // As many again on the day after: what is too much then is told, too.
    for (let i = 0; i < 8; i++) await askAs(`IN271000009${i}` as FacilityId, RAVI)
    assert.equal((await texts()).length, LIMITS.requestTextsPerDayMax)
    exchange.clock.advance(LIMITS.requestTextEveryMs + 1_000)
    assert.match((await texts()).map(({ text }) => text).join(), /^Test exchange: \d+ requests to see/)
  })

  test('of a child both hear, the guardian on her phone', async () => {
    await askAs(CLINIC, CHILD)
    const told = await texts()
    assert.deepEqual(told.map(({ mobile }) => mobile).toSorted(), ['9000000000', '9000000009'])
    assert.ok(told.every(({ text }) => text.includes('Kiran Rao')))
  })
})
