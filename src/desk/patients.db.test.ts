import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { addStaff, type DeskBench, openDesk, plainEvents } from '../../test/desk-bench.ts'
import { type Bench, HIP, openBench } from '../../test/hip-bench.ts'
import { transact } from '../db/tx.ts'
import type { StaffCaller } from '../kernel/caller.ts'
import type { FacilityId } from '../kernel/id.ts'
import { indexNames } from '../records/commands.ts'
import { shareLink } from './patient-routes.ts'

type Found = { by: string; hasMore: boolean; patients: { reference: string; name: string; mobileEnds?: string }[] }

const SHARE = {
  intent: 'PROFILE_SHARE',
  metaData: { hipId: HIP, context: 'main', hprId: '', latitude: '0.0', longitude: '0.0' },
  profile: {
    patient: {
      abhaNumber: '91-0000-0000-0042',
      abhaAddress: 'kavita.pawar@sbx',
      name: 'Kavita Pawar',
      gender: 'F',
      dayOfBirth: '3',
      monthOfBirth: '4',
      yearOfBirth: '1991',
      address: { line: '12 Lane', district: 'Pune', state: 'Maharashtra', pincode: '411038' },
      phoneNumber: '9000000042',
    },
  },
}

describe('patients at the desk', () => {
  let bench: Bench
  let desk: DeskBench
  let front: StaffCaller
  let doctor: StaffCaller
  before(async () => {
    bench = await openBench()
    desk = openDesk(bench.machine, {
      ...bench.needs,
      publicUrl: 'http://127.0.0.1:4001',
      patientAppUrl: 'http://localhost:4000',
    } as never)
    front = await addStaff(bench.machine, 'front-desk', 'Maya Front')
    doctor = await addStaff(bench.machine, 'doctor', 'Dr. Ila Sen', 'MH-1')
    const people = [
      ['MRN/1', 'Lakshmi Narayanan', '9000000001', 'lakshmi.n@sbx', '91000000000001'],
      ['MRN/2', 'Lakshmi Iyer', '9000000001', undefined, undefined],
      ['MRN/3', 'Om Prakash', '9000000003', undefined, undefined],
    ] as const
    for (const [reference, name, mobile, abhaAddress, abhaNumber] of people) {
      const body = { reference, name, mobile, abhaAddress, abhaNumber, gender: 'female', birthDate: '1980-01-01' }
      assert.equal((await desk.call(front, 'POST', '/v1/desk/patients', body)).status, 201)
    }
  })
  after(async () => {
    await desk.close()
    await bench.close()
  })

  const find = async (text: string): Promise<Found> => {
    const answer = await desk.call(doctor, 'POST', '/v1/desk/patients/find', { text })
    assert.equal(answer.status, 200, answer.text)
    return answer.json
  }
  const references = async (text: string): Promise<string[]> =>
    (await find(text)).patients.map(({ reference }) => reference).sort()

  it('finds by every number and by beginnings of the words of a name', async () => {
    assert.deepEqual(await references('lakshmi.n@SBX'), ['MRN/1'])
    assert.deepEqual(await references('91-0000-0000-0001'), ['MRN/1'])
    assert.deepEqual(await references('+91 90000 00001'), ['MRN/1', 'MRN/2'])
    assert.deepEqual(await references('MRN/3'), ['MRN/3'])
    assert.deepEqual(await references('lakshmi'), ['MRN/1', 'MRN/2'])
    assert.deepEqual(await references('NAR laksh'), ['MRN/1'])
    assert.deepEqual(await references('om prak'), ['MRN/3'])
    assert.deepEqual(await references('narayananx'), [], 'compared beyond what the index holds')
    assert.deepEqual(await references('nobody'), [])
    assert.equal((await find('lakshmi')).patients[0]?.mobileEnds, '0001', 'the whole number stands on her own page')
  })

  it('refuses what would list half the town, and keeps of a search who, how and how many, not what', async () => {
    for (const text of ['la', 'o p', '..'])
      assert.equal((await desk.call(doctor, 'POST', '/v1/desk/patients/find', { text })).status, 400, text)
    // Events of one moment have no order.
    bench.clock.advance(1_000)
    await find('lakshmi iyer')
    const events = await plainEvents(bench.machine, 'desk.patients-searched')
    assert.ok(events.length > 0)
    assert.ok(events.every((body) => !/lakshmi|iyer|9000000001/i.test(body.replaceAll(/"name":"[^"]*"/g, ''))))
    assert.match(events.at(-1) ?? '', /"by":"name".*"found":1/)
    assert.match(events.at(-1) ?? '', /Dr\. Ila Sen/)
  })

  it('follows a changed name, and finds who was registered before there was an index', async () => {
    const body = { name: 'Jayant Kelkar', gender: 'male', birthDate: '1980-01-01' }
    assert.equal((await desk.call(front, 'POST', '/v1/desk/patients/MRN%2F3', body)).status, 200)
    assert.equal((await desk.call(front, 'POST', '/v1/desk/patients', { ...body, reference: 'MRN/3' })).status, 409)
    assert.equal((await desk.call(front, 'POST', '/v1/desk/patients/MRN%2F9', body)).status, 404)
    assert.equal((await desk.call(doctor, 'POST', '/v1/desk/patients/MRN%2F3', body)).status, 403)
    assert.deepEqual(await references('prakash'), [])
    assert.deepEqual(await references('kelkar'), ['MRN/3'])
    const db = bench.machine.db
    await db.deleteFrom('patient_identifier').where('bucket', '>=', 0).where('kind', '=', 'name').execute()
    await db.updateTable('facility_patient').set({ name_index: 0 }).where('bucket', '>=', 0).execute()
    assert.deepEqual(await references('kelkar'), [])
    const indexed: number[] = []
    for (let n = 1; n > 0; indexed.push(n)) n = await transact(bench.machine, (tx) => indexNames(tx, bench.needs, 2))
    assert.deepEqual(indexed, [2, 1, 0])
    assert.deepEqual(await references('kelkar'), ['MRN/3'])
    assert.deepEqual(await references('9000000001'), ['MRN/1', 'MRN/2'], 'numbers were not lost')
  })

  it('keeps names out of the database in plain', async () => {
    const rows = await bench.machine.db
      .selectFrom('patient_identifier')
      .select(['hash', 'reference'])
      .where('bucket', '>=', 0)
      .execute()
    assert.ok(rows.length > 10)
    assert.ok(rows.every(({ hash }) => hash.length === 32 && !/laks|kelk/i.test(hash.toString('latin1'))))
  })

  it('gives the next number to a patient without one, and passes over one given by hand', async () => {
    const body = { name: 'Tara One', gender: 'female', birthDate: '2001-02-03' }
    const first = await desk.call(front, 'POST', '/v1/desk/patients', body)
    assert.equal((first.json as { patient: { reference: string } }).patient.reference, '26-00001')
    await desk.call(front, 'POST', '/v1/desk/patients', { ...body, name: 'By Hand', reference: '26-00002' })
    const next = await desk.call(front, 'POST', '/v1/desk/patients', { ...body, name: 'Tara Two' })
    assert.equal((next.json as { patient: { reference: string } }).patient.reference, '26-00003')
  })

  it('registers nobody with a birth date on which nobody who lives was born', async () => {
    for (const birthDate of ['2200-01-01', '1780-01-01', '2001-02-30']) {
      const body = { name: 'Tara Two', gender: 'female', birthDate }
      const { status, text } = await desk.call(front, 'POST', '/v1/desk/patients', body)
      assert.equal(status, 400, birthDate)
      assert.match(text, /birthDate/)
    }
  })

  it('registers a shared profile with one tap, once; whoever is known is found', async () => {
    const shared = await bench.callback('/api/v3/hip/patient/share', SHARE)
    assert.equal(shared.status, 202, shared.body)
    const list = async () =>
      (
        (await desk.call(front, 'GET', '/v1/desk/shares')).json as {
          shares: { id: string; name: string; queueNumber: number; patient?: string; birthDate: string }[]
        }
      ).shares
    const [share] = await list()
    assert.equal(share?.name, 'Kavita Pawar')
    assert.equal(share?.queueNumber, 1)
    assert.equal(share?.birthDate, '1991-04-03')
    assert.equal(share?.patient, undefined)
    const taken = await desk.call(front, 'POST', `/v1/desk/shares/${share?.id}/register`)
    assert.equal(taken.status, 201, taken.text)
    const { patient } = taken.json as { patient: Record<string, unknown> }
    assert.equal(patient['mobile'], '9000000042')
    assert.deepEqual(patient['address'], SHARE.profile.patient.address)
    assert.deepEqual(await list(), [])
    assert.equal((await desk.call(front, 'POST', `/v1/desk/shares/${share?.id}/register`)).status, 409)
    bench.clock.advance(31 * 60_000)
    await bench.callback('/api/v3/hip/patient/share', SHARE)
    const [again] = await list()
    assert.equal(again?.patient, patient['reference'])
    assert.equal((await desk.call(front, 'POST', `/v1/desk/shares/${again?.id}/register`)).status, 200)
    assert.equal((await desk.call(front, 'POST', '/v1/desk/shares/rubbish/register')).status, 404)
  })

  it('does not guess a birth date that a profile leaves out', async () => {
    const { patient } = SHARE.profile
    const partial = { ...patient, abhaAddress: 'half.known@sbx', abhaNumber: '', dayOfBirth: '', monthOfBirth: '' }
    await bench.callback('/api/v3/hip/patient/share', { ...SHARE, profile: { patient: partial } })
    const { shares } = (await desk.call(front, 'GET', '/v1/desk/shares')).json as { shares: { id: string }[] }
    const answer = await desk.call(front, 'POST', `/v1/desk/shares/${shares[0]?.id}/register`)
    assert.equal(answer.status, 422)
    assert.match(answer.text, /hip\/share-incomplete/)
  })

  it('opens a patient with one record of it within a quarter of an hour', async () => {
    const opened = () => plainEvents(bench.machine, 'desk.patient-opened')
    const path = `/v1/desk/patients/${encodeURIComponent('MRN/1')}`
    for (let i = 0; i < 3; i++) assert.equal((await desk.call(doctor, 'GET', path)).status, 200)
    assert.equal((await opened()).length, 1)
    assert.equal((await desk.call(front, 'GET', path)).status, 200)
    bench.clock.advance(16 * 60_000)
    await desk.call(doctor, 'GET', path)
    assert.equal((await opened()).length, 3)
    assert.equal((await desk.call(doctor, 'GET', '/v1/desk/patients/nobody')).status, 404)
  })

  it('starts linking, and says where it stands', async () => {
    const path = `/v1/desk/patients/${encodeURIComponent('MRN/1')}`
    assert.equal((await desk.call(front, 'POST', `${path}/link`)).status, 202)
    const { links } = (await desk.call(front, 'GET', path)).json as {
      links: { linked: number; latest?: { kind: string; status: string } }
    }
    assert.deepEqual(links, { linked: 0, latest: { kind: 'token', status: 'waiting' } })
    assert.equal((await desk.call(front, 'POST', '/v1/desk/patients/MRN%2F2/link')).status, 409)
    assert.equal((await desk.call(doctor, 'POST', `${path}/link`)).status, 403, 'not the work of a doctor')
  })

  it('draws the code of a counter: the patient app, whom and where', async () => {
    const facility = { id: HIP as FacilityId, name: 'Test Hospital' }
    const link = shareLink({ facility, patientAppUrl: 'http://localhost:4000' }, 'A-2')
    assert.equal(link, 'http://localhost:4000/me/share?hip=IN2710000011&counter=A-2')
    const picture = await desk.call(front, 'GET', '/v1/desk/counters/A-2/code')
    assert.equal(picture.type, 'image/svg+xml')
    assert.match(picture.text, /^<svg /)
    assert.doesNotMatch(picture.text, /<script/i)
    assert.equal((await desk.call(front, 'GET', '/v1/desk/counters/a%22b/code')).status, 404)
    const elsewhere = shareLink({ facility }, '1')
    assert.ok(typeof elsewhere === 'object' && elsewhere.code === 'desk/no-share-address')
  })
})
