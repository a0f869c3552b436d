import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { addStaff, type DeskBench, openDesk } from '../../test/desk-bench.ts'
import { type Bench, openBench } from '../../test/hip-bench.ts'
import { type Reaction, transact } from '../db/tx.ts'
import { SAMPLE_INPUTS } from '../fhir/build/sample-inputs.ts'
import type { HiType } from '../fhir/hi-type.ts'
import type { StaffCaller } from '../kernel/caller.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { addPatient, addRecord } from '../records/commands.ts'
import type { OwnViewEvent } from '../records/view.ts'
import type { OpenReading } from './reading.ts'

const REFERENCE = 'R-many'
const PATH = `/v1/desk/patients/${REFERENCE}/reading`
const DAY_MS = 86_400_000
/** Two full pages and a bit; more by hand, to measure. */
const DOCUMENTS = Number(process.env['AMANAT_READING_DOCUMENTS'] ?? 2 * LIMITS.readingDocumentsMax + 40)
const WHO = { name: 'Meena Pillai', gender: 'female', birthDate: '1980-02-29' } as const

describe('reading the records of a patient who has many', () => {
  let bench: Bench
  let desk: DeskBench
  let doctor: StaffCaller
  const views: OwnViewEvent[] = []
  before(async () => {
    bench = await openBench()
    const reactions = bench.machine.reactions as Map<string, Reaction[]>
    reactions.set('records.viewed', [async (_tx, event) => void views.push(event as OwnViewEvent)])
    desk = openDesk(bench.machine, bench.needs as never)
    doctor = await addStaff(bench.machine, 'doctor', 'Dr. Meera Nair')
    await transact(bench.machine, async (tx) => {
      const actor = { kind: 'system', id: 'test' } as const
      assert.ok(!isRefusal(await addPatient(tx, bench.needs, actor, { reference: REFERENCE, ...WHO })))
    })
    // Several of one day: their order must not depend on the date alone.
    for (let at = 0; at < DOCUMENTS; at++) await write(new Date(Date.UTC(2020, 0, 1) + Math.floor(at / 3) * DAY_MS), at)
    const visit = { patient: REFERENCE, attendants: [doctor.id] }
    assert.equal((await desk.call(doctor, 'POST', '/v1/desk/visits', visit)).status, 201)
  })
  after(async () => {
    await desk.close()
    await bench.close()
  })

  const write = (date: Date, at: number) =>
    transact(bench.machine, async (tx) => {
      const input = SAMPLE_INPUTS[at % SAMPLE_INPUTS.length]
      assert.ok(input)
      const patient = { ...WHO, mrn: REFERENCE }
      const added = await addRecord(tx, { kind: 'system', id: 'test' }, REFERENCE, {
        input: { ...input, date: date.toISOString(), patient },
      })
      assert.ok(!isRefusal(added), JSON.stringify(added))
    })
  const read = async (order: {
    readonly hiTypes?: readonly HiType[]
    readonly below?: OpenReading['more'] | undefined
  }) => {
    const answer = await desk.call(doctor, 'POST', PATH, { purpose: 'CAREMGT', ...order })
    assert.equal(answer.status, 200, answer.text)
    return { page: answer.json as OpenReading, bytes: answer.text.length }
  }
  const idsOf = ({ entries }: OpenReading): readonly string[] => entries.map(({ id }) => id)
  const thereOf = ({ there }: OpenReading): number => there.reduce((sum, { documents }) => sum + documents, 0)

  it('opens the newest first, a page at a time, each document once, and records what each page gave out and no more', async () => {
    const seen: string[] = []
    const dates: string[] = []
    let below: OpenReading['more']
    for (;;) {
      views.length = 0
      const { page } = await read({ below })
      assert.deepEqual(
        views.map(({ records }) => records.map(({ id }) => id).sort()),
        [[...idsOf(page)].sort()],
      )
      assert.ok(page.entries.length <= LIMITS.readingDocumentsMax)
      assert.ok(thereOf(page) >= DOCUMENTS)
      seen.push(...idsOf(page))
      dates.push(...page.entries.map(({ date }) => String(date)))
      // What comes meanwhile, newer, moves nothing.
      if (below === undefined) await write(new Date(Date.UTC(2026, 0, 1)), 0)
      below = page.more
      if (below === undefined) break
    }
    assert.equal(seen.length, DOCUMENTS)
    assert.equal(new Set(seen).size, DOCUMENTS)
    assert.deepEqual(dates, dates.toSorted().reverse())
  })

  it('says what is missing once, with the first page', async () => {
    const { page: first } = await read({})
    const { page: second } = await read({ below: first.more })
    assert.deepEqual(second.consents, [])
    assert.ok(second.elsewhere.length === 0 && second.erased.length === 0)
  })

  it('opens older ones of one kind alone', async () => {
    const kind = 'Prescription' as const
    const found: OpenReading['entries'][number][] = []
    let below: OpenReading['more']
    do {
      views.length = 0
      const { page } = await read({ hiTypes: [kind], below })
      assert.ok(page.entries.every(({ hiType }) => hiType === kind))
      assert.ok(views.every(({ records }) => records.every(({ hiType }) => hiType === kind)))
      found.push(...page.entries)
      below = page.more
      const there = page.there.find(({ hiType }) => hiType === kind)?.documents
      if (below === undefined) assert.equal(found.length, there)
    } while (below !== undefined)
  })

  it('records nothing below the end, and refuses a place that is none', async () => {
    views.length = 0
    const end = { date: new Date(0), id: '00000000-0000-7000-8000-000000000000' }
    assert.deepEqual((await read({ below: end })).page.entries, [])
    assert.deepEqual(views, [])
    for (const below of [{ date: 'yesterday', id: end.id }, { date: end.date, id: "x' or true" }, { id: end.id }, 7])
      assert.equal((await desk.call(doctor, 'POST', PATH, { purpose: 'CAREMGT', below })).status, 400)
  })

  it('answers with no more bytes than a page has, however many there are', async () => {
    const { page, bytes } = await read({})
    assert.equal(page.entries.length, LIMITS.readingDocumentsMax)
    assert.ok(bytes < 400_000, `${bytes} bytes`)
  })
})
