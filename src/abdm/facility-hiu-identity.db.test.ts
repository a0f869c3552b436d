import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { granted, type HiuBench, openHiuBench, PATIENT } from '../../test/hiu-bench.ts'
import { documentText, lastTransfer, recordsOf, sealPage } from '../../test/hiu-provider.ts'
import { transact } from '../db/tx.ts'
import { parseAbhaNumber } from '../kernel/id.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { addPatient } from '../records/commands.ts'

const NUMBER = '91000000000001'
const BORN = '1981-01-12'
const OTHER_NUMBER = 'It belongs to another patient: the ABHA identifiers differ.'
const OTHER_BIRTH = 'It belongs to another patient: the birth dates differ.'

/** A document of the patient's ABHA address, whose Patient was born then. */
function bornOn(birthDate: string | undefined, note: string): string {
  const document = JSON.parse(documentText('Prescription', { note })) as {
    entry: { resource: Record<string, unknown> }[]
  }
  for (const { resource } of document.entry) {
    if (resource['resourceType'] !== 'Patient') continue
    if (birthDate === undefined) delete resource['birthDate']
    else resource['birthDate'] = birthDate
  }
  return JSON.stringify(document)
}

describe('whom a received document is about, at a facility that has the patient registered or has not', () => {
  let bench: HiuBench
  before(async () => {
    bench = await openHiuBench()
  })
  after(() => bench.close())

  /** What came of each text, in the order of the texts. */
  async function outcomes(texts: readonly string[]): Promise<readonly (string | undefined)[]> {
    const asked = await granted(bench, {
      careContexts: texts.map((_, i) => ({ patientReference: 'MR-7', careContextReference: `visit-${i}` })),
    })
    const items = texts.map((text, i) => ({ careContext: `visit-${i}`, text }))
    assert.equal((await bench.push(asked.dataPushUrl, sealPage(bench, asked, items, {}).body)).status, 202)
    await bench.drain()
    const { status, careContexts } = await lastTransfer(bench, asked)
    assert.equal(status, 'complete')
    const held = (await recordsOf(bench, asked)).filter((one) => one.status === 'held').length
    assert.equal(held, careContexts.filter((one) => one.status === 'received').length)
    return careContexts.map((one) => (one.status === 'received' ? 'held' : one.reason))
  }
  const texts = (round: string): readonly string[] => [
    documentText('Prescription', { person: { abhaNumber: '91-0000-0000-0001' }, note: `${round} own number` }),
    documentText('Prescription', { person: { abhaNumber: '91-0000-0000-0099' }, note: `${round} other number` }),
    bornOn(BORN, `${round} own birth`),
    bornOn('1981', `${round} birth to the year`),
    bornOn(undefined, `${round} no birth date`),
    bornOn('1950-01-12', `${round} other birth`),
  ]

  it('goes by the ABHA address alone of a patient whom it does not know', async () => {
    assert.deepEqual(
      await outcomes(texts('unknown')),
      Array.from({ length: 6 }, () => 'held'),
    )
  })

  it('quarantines what the ABHA number or the birth date of its own registration contradicts', async () => {
    const added = await transact(bench.machine, (tx) =>
      addPatient(
        tx,
        { facility: bench.needs.facility, indexKey: bench.needs.indexKey },
        { kind: 'operator', id: 'desk' },
        {
          reference: 'MR-7',
          name: 'Asha Rao',
          gender: 'female',
          birthDate: BORN,
          abhaAddress: PATIENT,
          abhaNumber: parseAbhaNumber(NUMBER),
        },
      ),
    )
    assert.ok(!isRefusal(added))
    assert.deepEqual(await outcomes(texts('known')), ['held', OTHER_NUMBER, 'held', 'held', 'held', OTHER_BIRTH])
  })
})
