import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import {
  ASHA,
  CLINIC,
  HOSPITAL,
  INDEX_KEY,
  link,
  RAVI,
  startTestExchange,
  type TestExchange,
} from '../../test/consent-exchange.ts'
import { DAY_MS } from '../../test/consent-steps.ts'
import { workOffJobs } from '../../test/work-off.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { AbhaAddress, AbhaNumber } from '../kernel/id.ts'
import { must } from '../kernel/refusal.ts'
import { TEXT_MESSAGE_JOB } from '../linking/link-commands.ts'
import { publishNews } from '../linking/news-commands.ts'
import {
  grantedSubscriptionsOf,
  grantSubscription,
  requestSubscription,
  subscriptionsOf,
  switchSubscription,
} from '../linking/subscription-commands.ts'
import { enrolPatient, readPatient, setPatientStatus } from '../people/commands.ts'
import { phonesOf } from '../people/phones.ts'
import { askConsent } from './commands.ts'
import { requestTextJobs } from './jobs.ts'
import { createPolicy, policiesOf, switchPolicy } from './policy-commands.ts'
import { requestOf } from './readers.ts'

const OPERATOR = { kind: 'operator', id: 'test' } as const
const KIRAN = 'kiran.rao@sbx' as AbhaAddress
const BY_ASHA = { kind: 'patient', id: KIRAN, guardian: ASHA } as const
const BY_KIRAN = { kind: 'patient', id: KIRAN } as const
const ASHAS_PHONE = '9000000000'

describe('consent/majority', () => {
  let exchange: TestExchange
  before(async () => {
    exchange = await startTestExchange()
    await exchange.inTx(async (tx) => {
      const profile = {
        abhaAddress: KIRAN,
        abhaNumber: '91000000000009' as AbhaNumber,
        name: 'Kiran Rao',
        gender: 'F' as const,
        birthDate: '2008-12-01',
        mobile: '9000000009',
        language: 'en',
        guardian: ASHA,
        guardianBasis: 'parent' as const,
      }
      must(await enrolPatient(tx, { indexKey: INDEX_KEY }, { profile, actor: OPERATOR }))
      await link(tx, KIRAN, HOSPITAL, 'MRN-7', ['visit-7'], 'OPConsultation')
    })
  })
  after(() => exchange.close())

  const period = { from: new Date(0), to: new Date('2030-01-01') }
  const statusOfNewRequest = () =>
    exchange.inTx(async (tx) => {
      const permission = {
        accessMode: 'VIEW' as const,
        dateRange: { from: new Date('2024-01-01'), to: tx.now },
        dataEraseAt: new Date(tx.now.getTime() + 30 * DAY_MS),
        frequency: { unit: 'HOUR' as const, value: 1, repeats: 1 },
      }
      const proposal = {
        purpose: { code: 'CAREMGT' },
        patient: KIRAN,
        hiu: CLINIC,
        careContexts: [],
        requester: { name: 'Dr X' },
        hiTypes: ['OPConsultation' as const],
        permission,
      }
      const { id } = must(await askConsent(tx, exchange.needs, { proposal, requestId: randomUUID() }))
      return must(await requestOf(tx, KIRAN, id)).status
    })
  async function phonesTexted(): Promise<readonly string[]> {
    await workOffJobs(exchange.machine, requestTextJobs(exchange.needs))
    return exchange.inTx(async (tx) => {
      const texts = tx.db.selectFrom('job').select('payload').where('kind', '=', TEXT_MESSAGE_JOB)
      const rows = await texts.where('status', '=', 'waiting').execute()
      await tx.db.updateTable('job').set({ status: 'done' }).where('kind', '=', TEXT_MESSAGE_JOB).execute()
      return rows.map(({ payload }) => (payload as { mobile: string }).mobile).toSorted()
    })
  }
  const phones = (patient: AbhaAddress) =>
    exchange.inTx(async (tx) => {
      const found = await readPatient(tx, patient)
      return found === undefined ? [] : (await phonesOf(tx, found)).map(({ mobile }) => mobile).toSorted()
    })
  async function newsTold(visit: string): Promise<number> {
    const contexts = [{ patientReference: 'MRN-7', careContextReference: visit, hiType: 'OPConsultation' as const }]
    return exchange.inTx(async (tx) => {
      await publishNews(tx, { patient: KIRAN, hip: HOSPITAL, category: 'LINK', contexts })
      const told = tx.db.selectFrom('subscription_event').select('id').where('bucket', '=', bucketOf(KIRAN))
      return (await told.execute()).length
    })
  }

  test('a guardian hears of a child while that person may, and has a working account', async () => {
    assert.deepEqual(await phones(KIRAN), [ASHAS_PHONE, '9000000009'])
    const set = (status: 'active' | 'deactivated') =>
      exchange.inTx(async (tx) => must(await setPatientStatus(tx, { patient: ASHA, status, actor: OPERATOR })))
    await set('deactivated')
    assert.deepEqual(await phones(KIRAN), ['9000000009'])
    await set('active')
  })

  test('what a parent had allowed beforehand does nothing from her eighteenth birthday on, until she confirms it', async () => {
    const terms = {
      isApplicableForAllHIPs: true,
      includedSources: [{ hiTypes: ['OPConsultation'] as const, purpose: 'CAREMGT', period }],
      excludedSources: [],
    }
    const { id } = await exchange.inTx(async (tx) =>
      must(await createPolicy(tx, { patient: KIRAN, hiu: CLINIC, terms, actor: BY_ASHA })),
    )
    const news = await exchange.inTx(async (tx) => {
      const request = {
        purpose: { code: 'CAREMGT' as const, text: '' },
        hips: [],
        categories: ['LINK' as const],
        period: { from: new Date(tx.now.getTime() - DAY_MS), to: new Date(tx.now.getTime() + 300 * DAY_MS) },
      }
      const asked = must(await requestSubscription(tx, { hiu: CLINIC, patient: KIRAN, request }))
      const answer = { isForAllHips: true, included: [], excluded: [] }
      return must(await grantSubscription(tx, { patient: KIRAN, id: asked.id, actor: BY_ASHA, answer }))
    })
    assert.equal(await statusOfNewRequest(), 'GRANTED')
    assert.deepEqual(await phonesTexted(), [ASHAS_PHONE, '9000000009'])
    const before = await newsTold('visit-8')
    assert.equal(before, 1)
    const unconfirmed = () =>
      exchange.inTx(async (tx) => [
        ...(await policiesOf(tx, KIRAN)).map(({ isUnconfirmed }) => isUnconfirmed),
        ...(await subscriptionsOf(tx, KIRAN)).map(({ isUnconfirmed }) => isUnconfirmed),
      ])
    assert.deepEqual(await unconfirmed(), [false, false])

    exchange.clock.advance(30 * DAY_MS)
    assert.deepEqual(await unconfirmed(), [true, true])
    assert.equal(await statusOfNewRequest(), 'REQUESTED')
    assert.deepEqual(await phonesTexted(), ['9000000009'])
    assert.equal(await newsTold('visit-9'), before)
    const own = await exchange.asPatient(KIRAN, 'GET', '/v1/me/policies')
    const [shown] = own.body['policies'] as { enabled: boolean; isUnconfirmed: boolean }[]
    assert.deepEqual([shown?.enabled, shown?.isUnconfirmed], [false, true])

    await exchange.inTx(async (tx) => {
      must(await switchPolicy(tx, { patient: KIRAN, id, enabled: true, actor: BY_KIRAN }))
      must(await switchSubscription(tx, { patient: KIRAN, id: news.id, to: 'granted', actor: BY_KIRAN }))
    })
    assert.deepEqual(await unconfirmed(), [false, false])
    assert.equal(await statusOfNewRequest(), 'GRANTED')
    assert.equal(await newsTold('visit-10'), before + 1)
    assert.equal((await exchange.inTx((tx) => grantedSubscriptionsOf(tx, KIRAN))).length, 1)
  })

  test('texts about a grown-up do not go to the phone of the parent who decided for her', async () => {
    const born = { name: 'Tara K', gender: 'F' as const, birthDate: '2009-01-10', language: 'en' }
    const TARA = 'tara.k@sbx' as AbhaAddress
    await exchange.inTx(async (tx) => {
      const ravi = await readPatient(tx, RAVI)
      const profile = {
        ...born,
        abhaAddress: TARA,
        abhaNumber: '91000000000019' as AbhaNumber,
        mobile: ravi?.mobile ?? '',
        guardian: RAVI,
        guardianBasis: 'parent' as const,
      }
      must(await enrolPatient(tx, { indexKey: INDEX_KEY }, { profile, actor: OPERATOR }))
    })
    assert.equal((await phones(TARA)).length, 1)
    exchange.clock.advance(30 * DAY_MS)
    assert.deepEqual(await phones(TARA), [])
  })
})
