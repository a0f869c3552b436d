import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, it, test } from 'node:test'
import { ASHA, CLINIC, startTestExchange, type TestExchange } from '../../test/consent-exchange.ts'
import { consentSteps, RANGE } from '../../test/consent-steps.ts'
import { grant, PATIENT, REFERENCE } from '../../test/hip-bench.ts'
import { useTransfers } from '../../test/hip-transfers.ts'
import { granted, type HiuBench, openHiuBench, PATIENT as SEEN } from '../../test/hiu-bench.ts'
import { documentText, LOOK, recordsOf, sealPage } from '../../test/hiu-provider.ts'
import { receiptFor, receiptsAbout } from '../audit/receipts.ts'
import { sequenceNow } from '../audit/sequencer.ts'
import { verifyReceipt } from '../audit/verify.ts'
import { acknowledgeAlarm, listAlarms, raiseAlarm } from '../audit/watch/alarm.ts'
import { makeKeyMaterial, makeNonce } from '../crypto/key-agreement.ts'
import { makeKeyPair } from '../crypto/sealing.ts'
import { formatVkey, makeSigner } from '../crypto/signed-note.ts'
import { type Machine, transact } from '../db/tx.ts'
import type { HiType } from '../fhir/hi-type.ts'
import type { StaffCaller } from '../kernel/caller.ts'
import { must } from '../kernel/refusal.ts'
import { readPatient } from '../records/commands.ts'
import { viewOwnRecords } from '../records/view.ts'

/** Everything that asks the gate. A new one belongs into this list, and its answers into the tests below. */
const ASKERS = [
  'src/hip/transfer.ts',
  'src/hiu/view.ts',
  'src/records/view.ts',
  'src/transfer/commands.ts',
  // Dry runs: nothing is shared; that somebody asked is recorded as partners.decision-asked (native/partner-answers.ts).
  'src/transfer/decision-commands.ts',
]

test('these ask the gate, and no others', () => {
  const root = path.join(import.meta.dirname, '..', '..')
  const found = globSync('src/**/*.ts', { cwd: root }).filter(
    (file) =>
      !/test\.ts$|^src\/policy\//.test(file) &&
      /\bdecide(Compiled)?\b[^}]*\} from '[./]*policy\/decide\.ts'/.test(readFileSync(path.join(root, file), 'utf8')),
  )
  assert.deepEqual(found.toSorted(), ASKERS)
})

const signer = makeSigner('party.example/log', new Uint8Array(32).fill(7))
const log = { signer, witnesses: [] }

/** The newest event of a type about a patient, as its receipt proves it to anybody. */
async function proven(machine: Machine, patient: string, type: string): Promise<Readonly<Record<string, unknown>>> {
  await sequenceNow(machine, signer)
  const receipt = await transact(machine, async (tx) => {
    const [event] = await receiptsAbout(tx, patient, { types: [type], limit: 1 })
    assert.ok(event, `there is no ${type} about ${patient}`)
    return must(await receiptFor(tx, log, event.id, patient))
  })
  const verified = must(verifyReceipt(JSON.stringify(receipt), { log: formatVkey(signer.key) }))
  assert.equal(verified.receipt.event['type'], type)
  return verified.receipt.event
}

async function acknowledgeAll(machine: Machine): Promise<void> {
  const by = { actor: { kind: 'operator', id: 'operator' }, reason: 'Looked at both copies.' } as const
  await transact(machine, async (tx) => {
    for (const { id } of await listAlarms(tx.db, { open: true, limit: 10 })) must(await acknowledgeAlarm(tx, id, by))
  })
}

describe('receipts of what the gate said: the exchange, when data is asked for', () => {
  let exchange: TestExchange
  before(async () => void (exchange = await startTestExchange()))
  after(() => exchange.close())
  const { consented } = consentSteps(() => exchange)
  const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))
  const ask = async (id: string, dateRange: object): Promise<void> => {
    const expiry = new Date(exchange.clock.now().getTime() + 3_600_000)
    const keyMaterial = makeKeyMaterial(makeKeyPair(random), makeNonce(random), expiry, 'raw')
    const body = {
      hiRequest: { consent: { id }, dateRange, dataPushUrl: 'https://clinic.example.org/push/abc', keyMaterial },
    }
    await exchange.asBridge('bridge-clinic', '/data-flow/v3/health-information/request', body, { 'x-hiu-id': CLINIC })
    await exchange.takeSent()
  }
  const outcomeOf = (event: Readonly<Record<string, unknown>>): unknown =>
    (event['decision'] as { outcome: string }).outcome

  it('allow, narrow and deny', async () => {
    const consent = await consented()
    await ask(consent, RANGE)
    assert.equal(outcomeOf(await proven(exchange.machine, ASHA, 'transfer.requested')), 'allow')
    await ask(consent, { ...RANGE, from: '2020-01-01T00:00:00.000Z' })
    assert.equal(
      outcomeOf(await proven(exchange.machine, ASHA, 'transfer.refused')),
      'narrow',
      'more than was consented',
    )
    exchange.clock.advance(40 * 86_400_000)
    await ask(consent, RANGE)
    const denied = await proven(exchange.machine, ASHA, 'transfer.refused')
    assert.equal(outcomeOf(denied), 'deny')
    assert.equal(denied['consent'], consent)
  })

  it('while the own log is in doubt every request is refused, until somebody says why work goes on', async () => {
    const { machine } = exchange
    const consent = await consented()
    await transact(machine, (tx) => raiseAlarm(tx, inDoubt))
    // The newest refusal is asked for: one of an earlier moment must not share this one's.
    exchange.clock.advance(1_000)
    await ask(consent, RANGE)
    const refused = await proven(machine, ASHA, 'transfer.refused')
    assert.deepEqual([refused['consent'], refused['code']], [consent, 'log/in-doubt'])
    await acknowledgeAll(machine)
    exchange.clock.advance(1_000)
    await ask(consent, RANGE)
    assert.equal((await proven(machine, ASHA, 'transfer.requested'))['consent'], consent)
  })
})

/** Somebody saw more of our log than there is. */
const inDoubt = { origin: 'party.example/log', own: true, kind: 'rollback', mark: '10', detail: 'rolled back' } as const

describe('receipts of what the gate said: a provider, before it sends', () => {
  const world = useTransfers()
  it('allow: accepted, then each page that left; deny: refused', async () => {
    const { machine } = world.bench
    const consent = await grant(world.bench, { hiTypes: ['Invoice'] })
    await world.ask(consent)
    await world.bench.drain()
    assert.equal((await proven(machine, PATIENT, 'hip.request-accepted'))['outcome'], 'allow')
    assert.equal((await proven(machine, PATIENT, 'hip.page-disclosed'))['consent'], consent)
    await world.ask(consent, { dateRange: { from: '2015-01-01T00:00:00.000Z', to: '2026-11-01T00:00:00.000Z' } })
    assert.equal((await proven(machine, PATIENT, 'hip.request-refused'))['code'], 'hip/outside-range')
  })

  it('while the own log is in doubt a page that waits does not leave, and leaves when somebody has looked', async () => {
    const { bench, requester } = world
    const consent = await grant(bench, { hiTypes: ['Invoice'] })
    await world.ask(consent)
    await transact(bench.machine, (tx) => raiseAlarm(tx, inDoubt))
    await bench.drain()
    assert.equal(requester.got.length, 0)
    const again = await grant(bench, { hiTypes: ['Invoice'] })
    bench.clock.advance(1_000)
    await world.ask(again)
    assert.equal((await proven(bench.machine, PATIENT, 'hip.request-refused'))['code'], 'log/in-doubt')
    await acknowledgeAll(bench.machine)
    bench.clock.advance(60_000)
    await bench.drain()
    assert.equal(requester.got.length, 1)
  })

  it('its own records: all of them, a part, none', async () => {
    const { machine, needs } = world.bench
    const staff = { kind: 'staff', id: 'x', name: 'Dr Meera Nair', role: 'doctor' } as unknown as StaffCaller
    const view = async (own: readonly HiType[]): Promise<Readonly<Record<string, unknown>>> => {
      // Events of one moment have no order.
      world.bench.clock.advance(1_000)
      await transact(machine, async (tx) => {
        const patient = must(await readPatient(tx, REFERENCE))
        await viewOwnRecords(tx, needs, {
          patient,
          staff,
          reading: { purpose: 'CAREMGT', ground: 'attends', own, received: [] } as never,
          as: 'records.viewed',
        })
      })
      return proven(machine, REFERENCE, 'records.viewed')
    }
    const count = (event: Readonly<Record<string, unknown>>): number => (event['records'] as unknown[]).length
    assert.equal(count(await view(['Prescription', 'Invoice'])), 2)
    const part = await view(['Prescription'])
    assert.equal(count(part), 1)
    assert.ok((part['rules'] as string[]).includes('type-not-granted'))
    const none = await view([])
    assert.equal(count(none), 0)
    assert.deepEqual(none['rules'], ['own-record', 'type-not-granted'])
  })
})

describe('receipts of what the gate said: a user, before it shows', () => {
  let bench: HiuBench
  before(async () => void (bench = await openHiuBench()))
  after(() => bench.close())
  it('allow and deny', async () => {
    const asked = await granted(bench)
    const text = documentText('Prescription', { note: 'to be seen' })
    await bench.push(asked.dataPushUrl, sealPage(bench, asked, [{ careContext: 'visit-2', text }], {}).body)
    await bench.drain()
    const [record] = await recordsOf(bench, asked)
    assert.ok(record)
    await bench.native('POST', `/v1/records/${record.id}/view`, LOOK)
    assert.equal((await proven(bench.machine, SEEN, 'hiu.record-viewed'))['document'], record.id)
    await bench.native('POST', `/v1/records/${record.id}/view`, { ...LOOK, purpose: 'DSRCH' })
    const denied = await proven(bench.machine, SEEN, 'hiu.view-denied')
    assert.equal(denied['document'], record.id)
    assert.deepEqual(denied['rules'], ['no-consent'])
  })
})
