import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { granted, type HiuBench, openHiuBench, PATIENT, tell } from '../../test/hiu-bench.ts'
import { documentText, sealPage } from '../../test/hiu-provider.ts'
import { transact } from '../db/tx.ts'
import { HI_TYPES, type HiType } from '../fhir/hi-type.ts'
import { readReceived, sizeOfReceived } from '../hiu/reading.ts'
import { documentsOnShelf, openFromShelf, shelfOf } from '../hiu/shelf.ts'
import { listRecords, type Viewer, viewRecord } from '../hiu/view.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal } from '../kernel/refusal.ts'

const PERMISSION = {
  dateRange: { from: '2021-01-01T00:00:00.000Z', to: '2026-11-20T00:00:00.000Z' },
  dataEraseAt: '2026-12-22T00:00:00.000Z',
  frequency: { unit: 'HOUR', value: 1, repeats: 2 },
}
const SUBSCRIBED = { from: '2026-11-20T00:00:00.000Z', to: '2027-11-20T00:00:00.000Z' }
const DOCTOR: Viewer = { name: 'Dr. Farida Khan', role: 'doctor', purpose: 'CAREMGT' }

describe('reading what others sent, with what is withheld', () => {
  let bench: HiuBench
  before(async () => {
    bench = await openHiuBench()
  })
  after(() => bench.close())

  const read = (viewer: Viewer, types: readonly HiType[] = HI_TYPES) =>
    transact(bench.machine, (tx) =>
      readReceived(tx, { facility: bench.needs.facility }, { patient: PATIENT, viewer, types }),
    )

  it('shows what the consent covers with its ground, names the rest with the reason, and records only real views', async () => {
    const asked = await granted(bench)
    const good = documentText('Prescription', { note: 'good' })
    const foreign = documentText('Prescription', {
      note: 'foreign',
      person: { name: 'Bina Das', abhaAddress: 'bina@sbx' },
    })
    const items = [
      { careContext: 'visit-1', text: good },
      { careContext: 'visit-2', text: foreign },
    ]
    await bench.push(asked.dataPushUrl, sealPage(bench, asked, items, {}).body)
    await bench.drain()
    const { shown, withheld, erased } = await read(DOCTOR)
    assert.deepEqual(
      shown.map(({ careContextReference, ground }) => [careContextReference, ground.artefact, ground.purpose]),
      [['visit-1', asked.consentId, 'CAREMGT']],
    )
    assert.ok(shown[0]?.ground.keepUntil !== undefined && shown[0].ground.keepUntil > bench.clock.now())
    assert.deepEqual(
      withheld.map(({ why, says }) => [why, says !== undefined]),
      [['quarantined', true]],
    )
    assert.deepEqual(erased, [])
    assert.equal(await bench.count('hiu.record-viewed'), 1)

    const forPayment = await read({ ...DOCTOR, role: 'billing', purpose: 'HPAYMT' })
    assert.deepEqual(forPayment.shown, [])
    assert.ok(forPayment.withheld.every(({ why }) => why === 'other-purpose'))
    const inLab = await read({ ...DOCTOR, role: 'lab' }, ['DiagnosticReport'])
    assert.ok(inLab.shown.length === 0 && inLab.withheld.every(({ why }) => why === 'other-role'))
    assert.equal(await bench.count('hiu.record-viewed'), 1)
    assert.equal(await bench.count('hiu.view-denied'), 0, 'the patient is not told of attempts that nobody made')

    const { records: all } = await transact(bench.machine, (tx) => listRecords(tx, { patient: PATIENT, limit: 100 }))
    const [quarantined] = all.filter(({ status }) => status === 'quarantined')
    assert.ok(quarantined)
    const wanted = await transact(bench.machine, (tx) =>
      viewRecord(tx, { facility: bench.needs.facility }, quarantined.id, DOCTOR),
    )
    assert.match(isRefusal(wanted) ? wanted.detail : '', /quarantined/)
    assert.equal(await bench.count('hiu.view-denied'), 1, 'somebody did ask for this one')
    assert.equal(await bench.count('hiu.record-viewed'), 1)

    const office = { name: 'Kavita Rane', role: 'records-officer', takesOut: true } as const
    const kept = await read({ ...office, purpose: 'CAREMGT' })
    assert.equal(await transact(bench.machine, (tx) => sizeOfReceived(tx, PATIENT, office)), 0)
    assert.deepEqual(kept.shown, [])
    assert.ok(kept.withheld.some(({ why }) => why === 'only-here'))
    assert.ok(shown[0])
    const tried = await transact(bench.machine, (tx) =>
      viewRecord(tx, { facility: bench.needs.facility }, shown[0]?.id ?? assert.fail(), {
        ...office,
        purpose: 'CAREMGT',
      }),
    )
    assert.match(isRefusal(tried) ? tried.detail : '', /not taken out/, 'nor by another way')
    assert.equal(await bench.count('hiu.record-exported'), 0)
    await bench.drain()
    await tell(bench, asked.exchange, 'REVOKED', [asked.consentId])
    await bench.drain()
    const later = await read(DOCTOR)
    assert.deepEqual([later.shown, later.withheld], [[], []])
    assert.deepEqual(
      later.erased.map(({ reason, ground }) => [reason, ground.artefact]),
      [['REVOKED', asked.consentId]],
    )
  })

  it('lets the records office take out what a consent lets be stored, for its purpose alone, and the patient is told', async () => {
    const lookedBefore = await bench.count('hiu.record-viewed')
    const deniedBefore = await bench.count('hiu.view-denied')
    const permission = { ...PERMISSION, accessMode: 'STORE' }
    const asked = await granted(bench, { permission })
    const items = [{ careContext: 'visit-1', text: documentText('Prescription', { note: 'to be kept' }) }]
    await bench.push(asked.dataPushUrl, sealPage(bench, asked, items, {}).body)
    await bench.drain()
    const office = { name: 'Kavita Rane', role: 'records-officer', takesOut: true } as const
    assert.ok((await transact(bench.machine, (tx) => sizeOfReceived(tx, PATIENT, office))) > 1_000)
    assert.deepEqual((await read({ ...office, purpose: 'PATRQT' })).shown, [], 'the consent is for care')
    const taken = await read({ ...office, purpose: 'CAREMGT' })
    assert.deepEqual(
      taken.shown.map(({ ground }) => ground.artefact),
      [asked.consentId],
    )
    assert.equal(await bench.count('hiu.record-exported'), 1)
    assert.equal(await bench.count('hiu.record-viewed'), lookedBefore)
    assert.equal(await bench.count('hiu.view-denied'), deniedBefore)
    await bench.drain()
    const report = bench.last('/v1/accesses')?.body as { asFile?: boolean } | undefined
    assert.equal(report?.asFile, true, 'that it left as a file')
  })

  it('opens from the shelf what one page gives out and no more, and counts by consent and reason what stays closed', async () => {
    const asked = await granted(bench)
    const foreign = { name: 'Bina Das', abhaAddress: 'bina@sbx' }
    const items = [
      ...['first', 'second', 'third'].map((note, at) => ({
        careContext: `visit-${at + 1}`,
        text: documentText('Prescription', { note: `shelf, ${note}` }),
      })),
      { careContext: 'visit-1', text: documentText('Prescription', { note: 'shelf, foreign', person: foreign }) },
    ]
    await bench.push(asked.dataPushUrl, sealPage(bench, asked, items, {}).body)
    await bench.drain()
    const viewed = await bench.count('hiu.record-viewed')
    const needs = { facility: bench.needs.facility }
    const there = await transact(bench.machine, (tx) => shelfOf(tx, PATIENT, DOCTOR, HI_TYPES))
    const own = there.withheld.filter(({ ground }) => ground.artefact === asked.consentId)
    assert.deepEqual(
      own.map(({ why, documents, says }) => [why, documents, says !== undefined]),
      [['quarantined', 1, true]],
    )
    const seen: string[] = []
    let below: { readonly date: Date; readonly id: string } | undefined
    for (;;) {
      const { page, shown } = await transact(bench.machine, async (tx) => {
        const shelf = await shelfOf(tx, PATIENT, DOCTOR, HI_TYPES)
        const page = await documentsOnShelf(tx, shelf, { types: HI_TYPES, below, limit: 2 })
        return { page, ...(await openFromShelf(tx, needs, shelf, DOCTOR, page)) }
      })
      assert.deepEqual(
        shown.map(({ id }) => id),
        page.map(({ id }) => id),
      )
      seen.push(...shown.map(({ id }) => id))
      assert.equal(await bench.count('hiu.record-viewed'), viewed + seen.length)
      below = page.at(-1)
      if (page.length < 2) break
    }
    assert.equal(new Set(seen).size, seen.length)
    assert.equal(seen.length, there.counts.get('Prescription'))
    const billing = { ...DOCTOR, role: 'billing', purpose: 'HPAYMT' } as const
    const closed = await transact(bench.machine, (tx) => shelfOf(tx, PATIENT, billing, HI_TYPES))
    assert.deepEqual(closed.artefacts, [])
    const counted = closed.withheld.filter(({ ground }) => ground.artefact === asked.consentId)
    assert.deepEqual(
      counted.map(({ why, documents }) => [why, documents]),
      [['other-purpose', 4]],
    )
    assert.equal(await bench.count('hiu.record-viewed'), viewed + seen.length)
  })

  it('gives what is held page by page, each document once, and opens no more at once than the reading screen', async () => {
    const asked = await granted(bench)
    const items = Array.from({ length: LIMITS.readingDocumentsMax + 2 }, (_, i) => ({
      careContext: 'visit-1',
      text: documentText('Prescription', { note: `of many ${i}` }),
    }))
    await bench.push(asked.dataPushUrl, sealPage(bench, asked, items, {}).body)
    await bench.drain()
    type Page = {
      readonly records: readonly { readonly id: string; readonly status: string }[]
      readonly next?: string
    }
    const listed: Page['records'][number][] = []
    const opened: string[] = []
    for (let next: string | undefined = ''; next !== undefined; ) {
      const words: URLSearchParams = new URLSearchParams({
        patient: PATIENT,
        limit: '20',
        ...(next && { before: next }),
      })
      const page = (await bench.native('GET', `/v1/records?${words.toString()}`)).json as Page
      assert.ok(page.records.length <= 20)
      listed.push(...page.records)
      next = page.next
    }
    const { records: all } = await transact(bench.machine, (tx) => listRecords(tx, { patient: PATIENT, limit: 100 }))
    assert.ok(all.length > items.length, 'those of the case above, too')
    assert.deepEqual(
      listed.map(({ id }) => id),
      all.map(({ id }) => id),
    )
    const held = listed.filter(({ status }) => status === 'held').map(({ id }) => id)
    const look = { patient: PATIENT, person: { name: DOCTOR.name, role: DOCTOR.role }, purpose: DOCTOR.purpose }
    for (let before: string | undefined = ''; before !== undefined; ) {
      const body = { ...look, ...(before && { before }) }
      const page = (await bench.native('POST', '/v1/records/view', body)).json as Page
      assert.ok(page.records.length <= LIMITS.readingDocumentsMax)
      opened.push(...page.records.map(({ id }) => id))
      before = page.next
    }
    assert.deepEqual(opened, held)
    for (const before of ['yesterday', `2026-01-31T10:00:00.000Z_x' or true`, '2026-99-31T10:00:00.000Z_']) {
      const words = new URLSearchParams({ patient: PATIENT, before })
      assert.equal((await bench.native('GET', `/v1/records?${words.toString()}`)).status, 400)
    }
  })

  it('lists what it asked for and what it erased by the page, each once', async () => {
    const subscription = { patient: PATIENT, purpose: 'CAREMGT', categories: ['DATA'], period: SUBSCRIBED }
    for (let n = 0; n < 2; n++) {
      const { exchange, consentId } = await granted(bench)
      await tell(bench, exchange, 'REVOKED', [consentId])
      await bench.drain()
      assert.equal((await bench.native('POST', '/v1/subscriptions', subscription)).status, 202)
    }
    const read = async (path: string, list: string, words: Record<string, string>) => {
      const { json } = await bench.native('GET', `${path}?${new URLSearchParams(words).toString()}`)
      const { [list]: items = [], next } = json as Record<string, unknown>
      return { items: items as readonly object[], next: next as string | undefined }
    }
    for (const [path, list] of [
      ['/v1/consent-requests', 'consentRequests'],
      ['/v1/erasures', 'erasures'],
      ['/v1/subscriptions', 'subscriptions'],
    ] as const) {
      const { items: all, next: end } = await read(path, list, { limit: '100' })
      assert.ok(all.length >= 2 && end === undefined, path)
      const paged: object[] = []
      for (let before: string | undefined = ''; before !== undefined; ) {
        const page = await read(path, list, { limit: '1', ...(before && { before }) })
        assert.equal(page.items.length, 1)
        paged.push(...page.items)
        before = page.next
      }
      assert.deepEqual(paged, all)
    }
  })
})
