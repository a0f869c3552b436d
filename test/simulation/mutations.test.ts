import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Tamper } from './faulty-database.ts'
import { Model } from './model.ts'
import { isWrite, type Mutation, type Row, rowsOf, silence, skip } from './mutation.ts'
import { simulate } from './simulation.ts'
import { openStage, type Stage } from './stage.ts'
import { WITNESS_MUTATIONS } from './witness-mutations.ts'

const SEEDS = Array.from({ length: 12 }, (_, i) => i + 1)
/** Rows as they were when they were active: each is tied to the keys of its party, so that a row of our making would be seen through. */
function whileActive(idOf: (row: Row) => string): (row: Row) => Row {
  const active = new Map<string, Row>()
  return (row) => {
    if (row['status'] === 'active' && (row['bridge_status'] ?? 'active') === 'active') active.set(idOf(row), row)
    return active.get(idOf(row)) ?? row
  }
}

/** A party that remembers what was open, and does not look whether it still is. */
function staleEmergencies(): Tamper {
  let kept: readonly Row[] = []
  return async (statement, go) => {
    const result = (await go()) as { rows?: Row[] }
    if (!/^select .* from "emergency_access".*"until" > /s.test(statement)) return result
    if ((result.rows?.length ?? 0) > 0) kept = result.rows ?? []
    return { ...result, rows: kept }
  }
}

/** The door takes whoever is shut out for active; whoever suspends and resumes sees how it stands, which a repeatable call asks after the door. */
function openDoor(): Tamper {
  const revived = whileActive((row) => String(row['client_id']))
  let isInside = false
  return async (statement, go) => {
    if (/^\s*begin/i.test(statement)) isInside = false
    if (isWrite(statement, 'insert', 'seen_request')) isInside = true
    const result = (await go()) as { rows?: Row[] }
    // Who lets it in or shuts it out locks the row: that is not the door.
    if (isInside || !/^select .*from "partner_client"(?!.*for update)/s.test(statement)) return result
    return { ...result, rows: result.rows?.map(revived) }
  }
}

const MUTATIONS: readonly Mutation[] = [
  {
    name: 'a provider forgets that it was told to stop',
    near: 2,
    tamper: () => skip('update', 'hip_artefact'),
    noticed: /at its provider|had been told of its end|happened twice|held consent .* in the row and/,
  },
  {
    name: 'copies are not erased',
    near: 3,
    tamper: () => skip('delete', 'hiu_document'),
    noticed: /still holds documents/,
  },
  {
    name: 'the key of a copy is not destroyed',
    near: 3,
    tamper: () => async (statement, go) =>
      statement.includes('update data_key set wrapped = null') ? { rows: [] } : go(),
    noticed: /still has the key/,
  },
  {
    name: 'events have no place in the log',
    near: 1,
    tamper: () => skip('insert', 'log_leaf'),
    noticed: /place in the log/,
  },
  {
    name: 'the log loses leaves that it has signed',
    near: 1,
    tamper: () => skip('insert', 'log_bundle'),
    noticed: /of the log is missing|does not extend|the log has/,
  },
  {
    name: 'repeated requests have their effect again',
    near: 2,
    tamper: () => silence('insert', 'seen_request'),
    noticed: /happened twice|acknowledged|refused/,
  },
  {
    name: 'calls are acknowledged and forgotten',
    near: 1,
    tamper: () => skip('update', 'seen_request'),
    noticed: /acknowledged by/,
  },
  {
    name: 'a hospital forgets the end of a consent',
    near: 2,
    tamper: () => skip('update', 'hiu_artefact'),
    noticed: /at its user|happened twice|is granted at IN\d+ and REVOKED/,
  },
  {
    name: 'the exchange takes whoever is suspended for active',
    near: 2,
    tamper: () =>
      rowsOf(
        /^select .*from "facility" inner join "bridge"/s,
        whileActive((row) => String(row['id'])),
      ),
    noticed: /which is suspended/,
  },
  {
    name: 'software that is shut out is let in',
    near: 66,
    tamper: openDoor,
    noticed: /software is shut out/,
  },
  {
    name: 'what was opened in an emergency stays open',
    near: 7,
    tamper: staleEmergencies,
    noticed: /none was open|no emergency is open/,
  },
  {
    name: 'the end of an emergency is forgotten',
    near: 3,
    tamper: () => skip('update', 'emergency_access'),
    noticed: /ended, and was not open/,
  },
  {
    name: 'patients are not told of emergencies',
    near: 3,
    tamper: () => skip('insert', 'text_message'),
    noticed: /patients were told of/,
  },
  {
    name: 'a claim on a copy is forgotten',
    near: 3,
    tamper: () =>
      rowsOf(/^select .*from "hiu_copy".* for update/s, (row) => ({
        ...row,
        hold_reason: null,
        hold_until: null,
      })),
    noticed: /is claimed until/,
  },
  {
    name: 'a kept copy is kept for ever',
    near: 3,
    tamper: () => rowsOf(/^select .*from "hiu_copy".*"hold_until" <= /s, 'forget'),
    noticed: /still holds documents/,
  },
  ...WITNESS_MUTATIONS,
]

describe('the simulation notices a broken product', () => {
  let stage: Stage
  before(async () => {
    stage = await openStage()
  })
  after(() => stage.world.close())

  for (const { name, tamper, cheat, noticed, near } of MUTATIONS)
    test(name, { timeout: 120_000 }, async (t) => {
      const mend = cheat?.(stage.world)
      try {
        for (const seed of new Set([near, ...SEEDS])) {
          stage.world.tamper = tamper?.()
          const { violation } = await simulate(stage, seed)
          if (violation === undefined) continue
          assert.match(violation.message, noticed)
          t.diagnostic(`noticed by seed ${seed}: ${violation.message}`)
          return
        }
        assert.fail(`not noticed in ${SEEDS.length} seeds`)
      } finally {
        stage.world.tamper = undefined
        mend?.()
      }
    })
})

describe('the model of what patients allowed', () => {
  const AT = new Date('2026-11-22T07:00:00Z')
  const [HIP, HIU, CONSENT] = ['IN2710000011', 'IN2910000022', 'c1'] as const
  const page = {
    type: 'hip.page-sending',
    subject: 't1',
    page: 1,
    consent: CONSENT,
    recipient: HIU,
    hiType: 'Prescription',
  }

  /** A patient allowed one prescription to one hospital for an hour. */
  function allowing(): Model {
    const model = new Model()
    const terms = { hiTypes: ['Prescription'], from: new Date(0), to: AT, until: new Date(AT.getTime() + 3_600_000) }
    model.asked.push({ asker: HIU, patient: 'asha.rao@sbx', ...terms, own: 'o1', request: 'r1', consents: [] })
    model.records.set(`${HIP} rx-1`, { hiType: 'Prescription', date: new Date(1) })
    model.records.set(`${HIP} rx-2`, { hiType: 'Prescription', date: new Date(1) })
    model.tried.set('r1', [{ hip: HIP, careContexts: ['rx-1'], ...terms }])
    model.see('sbx', { type: 'consent.granted', subject: 'r1', consents: [{ id: CONSENT, hip: HIP }] }, AT)
    return model
  }
  const faultsOf = (change: object, at = AT, before: (model: Model) => void = () => undefined) => {
    const model = allowing()
    before(model)
    model.see(HIP, { ...page, careContextReference: 'rx-1', ...change }, at)
    return model.faults.join('; ')
  }

  test('finds nothing wrong with what was allowed', () => assert.equal(faultsOf({}), ''))
  test('sees every way in which a disclosure lacks a consent', () => {
    assert.match(faultsOf({ careContextReference: 'rx-2' }), /did not allow this record/)
    assert.match(faultsOf({ hiType: 'WellnessRecord' }), /was not allowed/)
    assert.match(faultsOf({ recipient: HIP }), /it went to/)
    assert.match(faultsOf({ consent: 'c2' }), /no such consent/)
    assert.match(faultsOf({}, new Date(AT.getTime() + 3_600_000)), /had ended/)
    assert.match(
      faultsOf({}, AT, (model) => model.told.add(`${HIP} ${CONSENT}`)),
      /had been told of its end/,
    )
  })
  test('sees what happens twice, and what nobody allowed', () => {
    assert.match(
      faultsOf({}, AT, (model) => model.see(HIP, { ...page, careContextReference: 'rx-1' }, AT)),
      /twice/,
    )
    const model = allowing()
    model.asked.push({ ...(model.asked[0] ?? assert.fail()), request: 'r2', consents: [] })
    model.see('sbx', { type: 'consent.granted', subject: 'r2', consents: [{ id: 'c3', hip: HIP }] }, AT)
    assert.throws(() => model.insist(), /no patient had allowed it/)
  })
})

describe('the models of emergencies, claims and suspensions', () => {
  const AT = new Date('2026-11-22T07:00:00Z')
  const later = (minutes: number): Date => new Date(AT.getTime() + minutes * 60_000)
  const HOSPITAL = 'IN2710000011' as const
  type Seen = readonly [party: 'sbx' | typeof HOSPITAL, event: Parameters<Model['see']>[1], at?: Date]

  function faultsOf(...events: readonly Seen[]): string {
    const model = new Model({ patientOf: (reference) => `${reference}@sbx`, facilityOf: () => HOSPITAL })
    for (const [party, event, at = AT] of events) model.see(party, event, at)
    return model.faults.join('; ')
  }
  /** What is wrong when the exchange refuses one call of the hospital's software and takes the other. */
  function answersOf(...events: readonly Parameters<Model['see']>[1][]): string {
    const model = new Model({ patientOf: (reference) => `${reference}@sbx`, facilityOf: () => HOSPITAL })
    for (const event of events) model.see('sbx', event, AT)
    model.suspensions.answered(HOSPITAL, '/v1/accesses', 401)
    model.suspensions.answered(HOSPITAL, '/v1/erasures', 202)
    return model.faults.join('; ')
  }
  const opened = { type: 'emergency.opened', subject: 'e1', patient: 'p', until: later(30).toISOString() }
  const ended = { type: 'emergency.ended', subject: 'e1', patient: 'p', how: 'by hand' }
  const reviewed = { type: 'emergency.reviewed', subject: 'e1', patient: 'p' }
  const look = { type: 'records.viewed', subject: 'p', patient: 'p', ground: 'emergency', records: [{}] }

  test('an emergency is open until its minute, ends once, and is reviewed once after it', () => {
    const good: Seen[] = [
      [HOSPITAL, opened],
      [HOSPITAL, look, later(29)],
      [HOSPITAL, { ...ended, how: 'time over' }, later(30)],
      [HOSPITAL, reviewed, later(31)],
    ]
    assert.equal(faultsOf(...good), '')
    assert.match(faultsOf([HOSPITAL, look]), /none was open/)
    assert.match(faultsOf([HOSPITAL, opened], [HOSPITAL, look, later(30)]), /none was open/)
    assert.match(faultsOf([HOSPITAL, opened], [HOSPITAL, ended], [HOSPITAL, look]), /none was open/)
    assert.match(faultsOf([HOSPITAL, opened], [HOSPITAL, { ...ended, how: 'time over' }]), /before its time/)
    assert.match(faultsOf([HOSPITAL, opened], [HOSPITAL, ended], [HOSPITAL, ended]), /was not open/)
    assert.match(faultsOf([HOSPITAL, opened], [HOSPITAL, reviewed]), /before its end/)
    assert.match(faultsOf(...good, [HOSPITAL, reviewed, later(32)]), /or twice/)
    assert.match(faultsOf([HOSPITAL, opened], [HOSPITAL, { ...opened, subject: 'e2' }]), /beside an open one/)
  })

  test('a copy that a law keeps is neither erased nor shown', () => {
    const claimed = { type: 'hiu.copy-claimed', subject: 'c1', until: later(60).toISOString() }
    const held = { type: 'hiu.copy-held', subject: 'c1' }
    const erased = { type: 'hiu.copy-erased', subject: 'c1', documents: 1 }
    const shown = { type: 'hiu.record-viewed', subject: 'c1' }
    assert.equal(faultsOf([HOSPITAL, claimed], [HOSPITAL, held], [HOSPITAL, erased, later(60)]), '')
    assert.equal(
      faultsOf([HOSPITAL, claimed], [HOSPITAL, { type: 'hiu.claim-lifted', subject: 'c1' }], [HOSPITAL, erased]),
      '',
    )
    assert.match(faultsOf([HOSPITAL, claimed], [HOSPITAL, erased]), /is claimed until/)
    assert.match(faultsOf([HOSPITAL, claimed], [HOSPITAL, held], [HOSPITAL, shown]), /keeps sealed/)
    assert.match(faultsOf([HOSPITAL, erased], [HOSPITAL, shown]), /or which is erased/)
  })

  test('who is shut out brings nothing about, until it is taken back', () => {
    const saved = (status: string) => ({ type: 'partners.facility-saved', subject: HOSPITAL, status })
    const asked = { type: 'consent.requested', subject: 'r1', hiu: HOSPITAL, requestId: 'o1' }
    const routed = { type: 'transfer.requested', subject: 't1', hip: HOSPITAL, hiu: 'IN2910000022' }
    const reported = { type: 'access.reported', actor: { kind: 'facility', id: HOSPITAL } }
    const shutOut = { type: 'partners.client-suspended', subject: 'SBX_1' }
    assert.equal(faultsOf(['sbx', saved('inactive')], ['sbx', saved('active')], ['sbx', asked], ['sbx', routed]), '')
    assert.match(faultsOf(['sbx', saved('inactive')], ['sbx', asked]), /which is suspended/)
    assert.match(faultsOf(['sbx', saved('inactive')], ['sbx', routed]), /which is suspended/)
    assert.equal(
      faultsOf(['sbx', shutOut], ['sbx', { ...shutOut, type: 'partners.client-resumed' }], ['sbx', reported]),
      '',
    )
    assert.match(
      faultsOf(['sbx', shutOut], ['sbx', reported]),
      /access.reported by IN2710000011, whose software is shut out/,
    )
    const token = { type: 'partners.token-issued', subject: 'SBX_1' }
    assert.equal(faultsOf(['sbx', token]), '')
    assert.match(faultsOf(['sbx', shutOut], ['sbx', token]), /token-issued by IN2710000011, whose software is shut out/)
    assert.equal(answersOf(), '')
    assert.equal(answersOf(shutOut), 'the exchange took /v1/erasures of IN2710000011, whose software is shut out')
    assert.equal(answersOf(shutOut, { ...shutOut, type: 'partners.client-resumed' }), '')
  })
})
