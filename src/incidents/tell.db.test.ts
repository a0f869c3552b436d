import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type HiuBench, openHiuBench } from '../../test/hiu-bench.ts'
import { workOffJobs } from '../../test/work-off.ts'
import { receiptsAbout } from '../audit/receipts.ts'
import { transact } from '../db/tx.ts'
import type { CallOutcome } from '../http/outbound.ts'
import { claimJobs } from '../jobs/queue.ts'
import type { JobHandler } from '../jobs/worker.ts'
import type { StaffCaller } from '../kernel/caller.ts'
import { type AbhaAddress, type Id, makeId, parseId, toBucket } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { parsePlaceInParts } from '../kernel/list-place.ts'
import { isRefusal, must } from '../kernel/refusal.ts'
import { addPatient } from '../records/commands.ts'
import { TEXT_MESSAGE_JOB, textMessageHandler } from '../sandbox/text-messages.ts'
import { breakGlass, type EmergencyNeeds, endDueEmergencies, listEmergencies, reviewEmergency } from './commands.ts'
import type { EmergencyAccess, EmergencyEvent } from './emergency.ts'
import { emergencyReactions, noteLetterSent, noteTextUndelivered } from './tell-commands.ts'

const ON_INIT = '/api/v3/hiu/consent/request/on-init'
const MOBILE = '9876500044'

describe('who tells a patient of an emergency', () => {
  let bench: HiuBench
  let needs: EmergencyNeeds
  before(async () => {
    bench = await openHiuBench()
    needs = { ...bench.needs, indexKey: new Uint8Array(32), reportsToExchange: true, textLanguage: 'en' } as never
    for (const [type, reaction] of emergencyReactions(needs))
      bench.reactions.set(type, [...(bench.reactions.get(type) ?? []), reaction])
    await transact(bench.machine, async (tx) => {
      const actor = { kind: 'operator', id: 'test' } as const
      const facts = { gender: 'female', birthDate: '2004-06-19', mobile: MOBILE } as const
      const abhaAddress = 'kiran.rao@sbx' as AbhaAddress
      must(await addPatient(tx, needs, actor, { ...facts, name: 'Kiran Rao', reference: 'T-1', abhaAddress }))
      must(await addPatient(tx, needs, actor, { ...facts, name: 'No Address', reference: 'T-2' }))
    })
  })
  after(() => bench.close())

  /** Somebody of the staff who has nothing open yet. */
  const somebody = (): StaffCaller => {
    const id = makeId<'staff'>(bench.clock.now(), bench.machine.random, toBucket(0))
    return { kind: 'staff', id, name: 'Dr. Rao', role: 'doctor', session: id as unknown as Id<'web-session'> }
  }
  const open = async (patient: string): Promise<EmergencyAccess> =>
    must(
      await transact(bench.machine, (tx) =>
        breakGlass(tx, needs, somebody(), {
          patient,
          reason: 'unconscious',
          words: 'Brought in after a road accident, not responding.',
        }),
      ),
    )
  const now = async ({ id }: EmergencyAccess) => {
    const found = (await reviews()).find((one) => one.id === id)
    return [found?.told, found?.onPaper, found?.toldAt !== undefined]
  }
  const reviews = async () =>
    (await transact(bench.machine, (tx) => listEmergencies(tx, { limit: LIMITS.pageSizeMax }))).emergencies
  const textJobs = () =>
    bench.machine.db
      .selectFrom('job')
      .select('payload')
      .where('kind', '=', TEXT_MESSAGE_JOB)
      .where('status', '=', 'waiting')
      .execute()
  const eventsOf = async (patient: string, type: EmergencyEvent['type']) => {
    const receipts = await transact(bench.machine, (tx) => receiptsAbout(tx, patient, { types: [type], limit: 50 }))
    return receipts.flatMap((one) => ('changed' in one ? [] : [one.event as EmergencyEvent]))
  }
  const say = async ({ consent }: EmergencyAccess, answer: object) => {
    const reply = await bench.callback(ON_INIT, { ...answer, response: { requestId: consent } })
    assert.equal(reply.status, 202, reply.text)
  }
  const accepted = () => ({
    consentRequest: { id: makeId<'consent-request'>(bench.clock.now(), bench.machine.random, toBucket(7)) },
  })
  const gateway = (answers: CallOutcome[], keys: string[] = []): (readonly [string, JobHandler])[] => {
    const call = async ({ headers }: { readonly headers: Readonly<Record<string, string>> }): Promise<CallOutcome> => {
      keys.push(headers['idempotency-key'] ?? '')
      return answers.shift() ?? ({ kind: 'failed', reason: 'no answer', tookMs: 1 } as never)
    }
    const way = { kind: 'webhook', url: 'https://texts.example', outbound: { call } } as const
    return [[TEXT_MESSAGE_JOB, textMessageHandler(way as never, (tx, about) => noteTextUndelivered(tx, needs, about))]]
  }
  const answered = (status: number) => ({ kind: 'answered', status, headers: {}, body: '', tookMs: 1 }) as never

  it('ten emergencies at once send six texts of its own a day; the rest is withheld, said so, and told on paper', async () => {
    const opened = await Promise.all(Array.from({ length: 10 }, () => open('T-2')))
    const withheld = opened.filter(({ onPaper }) => onPaper === 'withheld-by-cap')
    assert.equal(opened.filter(({ told }) => told === 'text').length, LIMITS.emergenciesPerPatientDayMax)
    assert.equal(withheld.length, 10 - LIMITS.emergenciesPerPatientDayMax)
    assert.equal((await textJobs()).length, LIMITS.emergenciesPerPatientDayMax)
    const events = await eventsOf('T-2', 'emergency.opened')
    assert.equal(events.length, 10, 'each stands in her list')
    assert.equal(events.filter(({ onPaper }) => onPaper === 'withheld-by-cap').length, withheld.length)
    const [one] = withheld
    assert.ok(one)
    assert.deepEqual(await now(one), ['letter', 'withheld-by-cap', false])
    must(await transact(bench.machine, (tx) => noteLetterSent(tx, needs, somebody(), one.id)))
    assert.deepEqual(await now(one), ['letter', 'withheld-by-cap', true])
    // Another patient with the same mobile has her own six; a day later there is room again.
    bench.clock.advance(LIMITS.emergencyDayMs)
    assert.equal((await open('T-2')).told, 'text')
  })

  it('where the exchange took it and says that no number is hers, nothing goes to the number that we know', async () => {
    await workOffJobs(bench.machine, gateway(Array.from({ length: 50 }, () => answered(200))))
    const access = await open('T-1')
    await say(access, { ...accepted(), patientTold: false, onlyOnPaper: true })
    assert.deepEqual(await now(access), ['letter', 'not-hers', false])
    const refused = await open('T-1')
    const error = { code: 'ABDM-1057', message: 'nothing is linked' }
    await say(refused, { error, patientTold: false, onlyOnPaper: true })
    assert.deepEqual(await now(refused), ['letter', 'not-hers', false])
    assert.deepEqual(await textJobs(), [])
    const told = await eventsOf('T-1', 'emergency.patient-told')
    assert.deepEqual(
      told.map(({ onPaper, isSent }) => [onPaper, isSent]),
      [
        ['not-hers', undefined],
        ['not-hers', undefined],
      ],
    )
  })

  it('an exchange that told her is believed until it says otherwise; one that says nothing is not', async () => {
    const access = await open('T-1')
    const yes = accepted()
    await say(access, { ...yes, patientTold: true })
    assert.deepEqual(await now(access), ['exchange', undefined, false])
    for (let i = 0; i < 2; i++) {
      await say(access, { ...yes, patientTold: false })
      assert.deepEqual(await now(access), ['text', undefined, true])
      assert.equal((await textJobs()).length, 1, 'told once')
    }
    const silent = await open('T-1')
    await say(silent, accepted())
    assert.deepEqual(await now(silent), ['text', undefined, true])
  })

  it('of what the exchange has said nothing at the end the hospital tells; what it says later changes nothing', async () => {
    const heard = await open('T-1')
    await say(heard, { ...accepted(), patientTold: true })
    const unheard = await open('T-1')
    const before = (await textJobs()).length
    bench.clock.advance(LIMITS.emergencyMs)
    await transact(bench.machine, (tx) => endDueEmergencies(tx, needs))
    assert.deepEqual(await now(heard), ['exchange', undefined, false])
    assert.deepEqual(await now(unheard), ['text', undefined, true])
    assert.equal((await textJobs()).length, before + 1)
    await say(unheard, { error: { code: 'ABDM-1057', message: 'over' }, patientTold: true })
    assert.deepEqual(await now(unheard), ['text', undefined, true])
  })

  it('whom nobody has told stays on top of the list when it is reviewed, until the letter went out', async () => {
    const access = await open('T-1')
    await say(access, { ...accepted(), patientTold: false, onlyOnPaper: true })
    bench.clock.advance(LIMITS.emergencyMs)
    await transact(bench.machine, (tx) => endDueEmergencies(tx, needs))
    const review = { id: access.id, outcome: 'justified', words: 'Was needed at that moment.' } as const
    const dpo = { ...somebody(), role: 'dpo' } as const
    must(await transact(bench.machine, (tx) => reviewEmergency(tx, needs, dpo, review)))
    const later = await open('T-2')
    const order = (await reviews()).map(({ id }) => id)
    assert.ok(order.indexOf(access.id) < order.indexOf(later.id), 'it is due before')
    must(await transact(bench.machine, (tx) => noteLetterSent(tx, needs, dpo, access.id)))
    assert.equal((await reviews()).at(-1)?.id, access.id, 'settled')
    const whole = await reviews()
    const paged: EmergencyAccess[] = []
    const behind = (place: string) => {
      const after = parsePlaceInParts(place, (name) => parseId<'emergency'>(name))
      return transact(bench.machine, (tx) => listEmergencies(tx, { after, limit: 1 }))
    }
    for (let place: string | undefined = ''; place !== undefined; ) {
      const page: Awaited<ReturnType<typeof behind>> = await behind(place)
      assert.equal(page.emergencies.length, 1)
      paged.push(...page.emergencies)
      place = page.next
    }
    assert.deepEqual(paged, whole)
    assert.ok(whole.length > 3)
  })

  it('a text that the gateway refuses is no telling: the log says so, and she is told on paper', async () => {
    await workOffJobs(bench.machine, gateway(Array.from({ length: 50 }, () => answered(200))))
    const access = await open('T-2')
    assert.deepEqual(await now(access), ['text', undefined, true])
    await bench.machine.db.deleteFrom('job').where('kind', '<>', TEXT_MESSAGE_JOB).execute()
    // Given up, and the machine dies before that is written: the next try comes to the same, once.
    const [job] = await claimJobs(bench.machine, 1)
    const [[, handler] = []] = gateway([answered(400)])
    assert.equal(job && (await handler?.(bench.machine, job))?.outcome, 'give-up')
    assert.deepEqual(await now(access), ['text', undefined, true])
    bench.clock.advance(LIMITS.jobLeaseMs + 1)
    await workOffJobs(bench.machine, gateway([answered(400)]))
    assert.deepEqual(await now(access), ['letter', 'undelivered', false])
    const events = await eventsOf('T-2', 'emergency.text-undelivered')
    assert.deepEqual(
      events.map(({ subject }) => subject),
      [access.id],
    )
    assert.ok(!isRefusal(await transact(bench.machine, (tx) => noteLetterSent(tx, needs, somebody(), access.id))))
  })

  it('an answer that is lost is asked for again under the same key; when all tries are used up nobody was told', async () => {
    const access = await open('T-2')
    const keys: string[] = []
    const lost = { kind: 'failed', reason: 'timed out', tookMs: 1 } as never
    await workOffJobs(bench.machine, gateway([lost], keys))
    bench.clock.advance(LIMITS.jobRetryDelayMsMax)
    await workOffJobs(bench.machine, gateway([answered(200)], keys))
    assert.deepEqual(await now(access), ['text', undefined, true], 'the second try says that it went out')
    assert.deepEqual([keys.length, new Set(keys).size], [2, 1])
    const never = await open('T-2')
    for (let i = 0; i < LIMITS.jobAttemptsMax; i++) {
      assert.deepEqual(await now(never), ['text', undefined, true])
      await workOffJobs(bench.machine, gateway([answered(503)]))
      bench.clock.advance(LIMITS.jobRetryDelayMsMax)
    }
    assert.deepEqual(await now(never), ['letter', 'undelivered', false])
  })
})
