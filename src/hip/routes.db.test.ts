import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Bench, openBench, sampleOf } from '../../test/hip-bench.ts'
import { transact } from '../db/tx.ts'
import { readPatient } from '../records/commands.ts'
import { eraseDataKey } from '../vault/data-keys.ts'

const EXAMPLES = path.join(import.meta.dirname, '../../../shared/fhir/examples')
const meena = {
  reference: 'T-1',
  name: 'Meena <Test> & Sons',
  gender: 'female',
  birthDate: '1980-02-29',
  abhaAddress: 'Meena.Test@sbx',
  abhaNumber: '91-0000-0000-9999',
  mobile: '+91 90000-00099',
}

describe("the facility's own API", () => {
  let bench: Bench
  before(async () => {
    bench = await openBench()
  })
  after(() => bench.close())

  const call = async (method: 'GET' | 'POST', url: string, payload?: object) => {
    const answer = await bench.app.inject({ method, url, ...(payload === undefined ? {} : { payload }) })
    return { status: answer.statusCode, body: (answer.body === '' ? {} : answer.json()) as Record<string, unknown> }
  }

  it('registers patients, normalises their identifiers, keeps them sealed, and tells the same twice only once', async () => {
    const first = await call('POST', '/v1/patients', meena)
    assert.equal(first.status, 201, JSON.stringify(first.body))
    assert.deepEqual(first.body, {
      ...meena,
      abhaAddress: 'meena.test@sbx',
      abhaNumber: '91000000009999',
      mobile: '9000000099',
    })
    assert.equal((await call('POST', '/v1/patients', meena)).status, 200)
    assert.equal((await call('POST', '/v1/patients', { ...meena, reference: 'T-2' })).status, 409)
    const changed = await call('POST', '/v1/patients', { ...meena, mobile: '9111111111' })
    assert.equal(changed.status, 201)
    const identifiers = await bench.machine.db
      .selectFrom('patient_identifier')
      .select(['kind', 'hash'])
      .where('bucket', '>=', 0)
      .where('kind', '<>', 'name')
      .execute()
    assert.equal(identifiers.length, 3, 'the old mobile number is gone from the index')
    const row = await bench.machine.db
      .selectFrom('facility_patient')
      .selectAll()
      .where('bucket', '>=', 0)
      .executeTakeFirstOrThrow()
    assert.doesNotMatch(row.demographics.toString('latin1'), /Meena|9111111111|1980/)
  })

  it('names the field and the rule of bad input, and repeats no value', async () => {
    const cases: readonly (readonly [object, string])[] = [
      [{ ...meena, birthDate: '29.02.1980' }, 'birthDate'],
      [{ ...meena, reference: '../etc' }, 'reference'],
      [{ ...meena, mobile: '12' }, 'mobile'],
      [{ ...meena, abhaNumber: '1' }, 'abhaNumber'],
      [{ ...meena, gender: 'F' }, 'gender'],
    ]
    for (const [body, field] of cases) {
      const answer = await call('POST', '/v1/patients', body)
      assert.equal(answer.status, 400)
      assert.equal(answer.body['field'], field)
    }
    assert.equal(
      (await call('POST', '/v1/patients/T-1/records', { input: { ...sampleOf('Prescription'), medications: [] } }))
        .body['field'],
      'input.medications',
    )
    assert.equal((await call('POST', '/v1/patients/T-1/records', {})).body['field'], 'input')
    assert.equal(
      (await call('POST', '/v1/patients/T-1/records', { input: sampleOf('Invoice'), careContextReference: 'a<b' }))
        .body['field'],
      'careContextReference',
    )
  })

  it('adds records sealed, and refuses what is about somebody else', async () => {
    const added = await call('POST', '/v1/patients/T-1/records', { input: sampleOf('Prescription') })
    assert.equal(added.status, 201, JSON.stringify(added.body))
    assert.equal(added.body['careContextReference'], added.body['id'])
    const row = await bench.machine.db
      .selectFrom('clinical_record')
      .selectAll()
      .where('bucket', '>=', 0)
      .executeTakeFirstOrThrow()
    assert.doesNotMatch(row.sealed.toString('latin1'), /Metformin/)
    const other = { ...sampleOf('Prescription'), patient: { ...sampleOf('Prescription').patient, mrn: 'T-7' } }
    assert.equal((await call('POST', '/v1/patients/T-1/records', { input: other })).status, 422)
    assert.equal((await call('POST', '/v1/patients/T-99/records', { input: sampleOf('Prescription') })).status, 404)
    const rubbish = await call('POST', '/v1/patients/T-1/records', {
      document: Buffer.from('{"resourceType":"Patient"}').toString('base64'),
    })
    assert.equal(rubbish.status, 400)
  })

  it('takes documents of others as they are, with what they break', { skip: !fs.existsSync(EXAMPLES) }, async () => {
    const [file = ''] = fs.readdirSync(EXAMPLES).filter((name) => /Prescription/.test(name))
    const document = fs.readFileSync(path.join(EXAMPLES, file)).toString('base64')
    const refused = await call('POST', '/v1/patients/T-1/records', { document })
    assert.equal(refused.status, 422, 'it is about somebody else')
    await call('POST', '/v1/patients', {
      reference: 'ABC-1',
      name: 'ABC',
      gender: 'male',
      birthDate: '1981-01-12',
      abhaNumber: '22-7225-4829-5255',
    })
    const added = await call('POST', '/v1/patients/ABC-1/records', { document })
    assert.equal(added.status, 201)
    assert.equal(added.body['hiType'], 'Prescription')
    assert.deepEqual(
      (added.body['findings'] as { severity: string }[]).filter(({ severity }) => severity === 'error'),
      [],
    )
  })

  it('lists patients page by page, each once', async () => {
    for (let i = 0; i < 7; i++)
      await call('POST', '/v1/patients', {
        ...meena,
        abhaAddress: undefined,
        abhaNumber: undefined,
        reference: `P-${i}`,
      })
    const seen: string[] = []
    let after: string | undefined
    do {
      const page = await call('GET', `/v1/patients?limit=3${after === undefined ? '' : `&after=${after}`}`)
      seen.push(...(page.body['patients'] as { reference: string }[]).map(({ reference }) => reference))
      after = page.body['after'] as string | undefined
    } while (after !== undefined)
    assert.equal(new Set(seen).size, seen.length)
    assert.ok(seen.length >= 8)
    assert.equal((await call('GET', '/v1/patients/T-1')).status, 200)
    assert.equal((await call('GET', '/v1/patients/nobody')).status, 404)
    assert.deepEqual((await call('GET', '/v1/disclosures')).body, { disclosures: [] })
    assert.deepEqual((await call('GET', '/v1/artefacts')).body, { artefacts: [] })
  })

  it('knows a patient no more when the key is erased', async () => {
    await transact(bench.machine, (tx) => eraseDataKey(tx, 'T-1', 'patient'))
    const patient = await transact(bench.machine, (tx) => readPatient(tx, 'T-1'))
    assert.ok('code' in patient && patient.code === 'records/unknown-patient')
  })
})
