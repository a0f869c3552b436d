import { transact } from '../../src/db/tx.ts'
import type { AbhaAddress } from '../../src/kernel/id.ts'
import { isRefusal } from '../../src/kernel/refusal.ts'
import { issuePatientToken } from '../../src/people/commands.ts'
import { addStaff } from '../desk-bench.ts'
import { Clients } from './clients.ts'
import { addRecord, HI_TYPES, PATIENTS, recordNumber } from './commands.ts'
import { beWitnessed, settle } from './drain.ts'
import { Model, type Register } from './model.ts'
import { admitSoftware, clientOf } from './shut-out.ts'
import type { Team } from './staff.ts'
import { EXCHANGE, HOSPITALS, type PartyId, World } from './world.ts'

/** What every run begins with: two patients, two hospitals that hold and have linked some records of both. */
export type Stage = {
  readonly world: World
  readonly tokens: ReadonlyMap<string, string>
  readonly teams: ReadonlyMap<string, Team>
  readonly startMs: number
  /** What the model knows at the start. */
  readonly records: Model['records']
  readonly linked: Model['linked']
}

const PEOPLE = [
  { name: 'Asha Rao', gender: 'F', birthDate: '1981-01-12', mobile: '9000000001', abhaNumber: '91000000000001' },
  { name: 'Ravi Iyer', gender: 'M', birthDate: '1975-06-03', mobile: '9000000002', abhaNumber: '91000000000002' },
] as const
const GENDERS = { F: 'female', M: 'male' } as const
const REST_MS = 600_000
/** As the patient reads it who opened her records. */
export const DOCTOR = 'Dr. Meera Nair'

/** Makes the world once; runs set it back to this moment. */
export async function openStage(): Promise<Stage> {
  const model = new Model()
  const tokens = new Map<string, string>()
  const teams = new Map<string, Team>()
  const world = await World.open(async (made) => {
    made.committed = (party, event, at) => model.see(party.id as PartyId, event, at)
    const clients = new Clients(made)
    await enrol(made)
    for (const hospital of HOSPITALS) {
      await admitSoftware(made, hospital)
      const { machine } = made.party(hospital).built
      const doctor = await addStaff(machine, 'doctor', DOCTOR, 'KA-21-1521')
      teams.set(hospital, { doctor, dpo: await addStaff(machine, 'dpo', 'Farida Engineer') })
    }
    for (const hip of HOSPITALS) for (const patient of PATIENTS) await fill(model, clients, hip, patient)
    await settle(made)
    await beWitnessed(made)
    for (const patient of PATIENTS) tokens.set(patient, await tokenOf(made, patient))
    if (model.linked.size !== HOSPITALS.length * PATIENTS.length * HI_TYPES.length)
      throw new Error(`the stage is not set: ${model.linked.size} care contexts are linked`)
  })
  return { world, tokens, teams, startMs: world.time.ms + REST_MS, records: model.records, linked: model.linked }
}

/** Who is behind the names that parties give to people and software. */
export function registerOf(world: World): Register {
  return {
    patientOf: (reference) => PATIENTS.find((patient) => recordNumber(patient) === reference) ?? reference,
    facilityOf: (clientId) => HOSPITALS.find((hospital) => clientOf(world, hospital) === clientId),
  }
}

async function enrol(world: World): Promise<void> {
  for (const [i, person] of PEOPLE.entries()) {
    const body = JSON.stringify({ ...person, abhaAddress: PATIENTS[i] })
    const answer = await world.asOperator('/v1/patients', body)
    if (answer?.status !== 201) throw new Error(`enrol: ${answer?.status} ${answer?.body.toString()}`)
  }
}

async function fill(
  model: Model,
  clients: Clients,
  hip: (typeof HOSPITALS)[number],
  patient: (typeof PATIENTS)[number],
): Promise<void> {
  const { gender, ...person } = PEOPLE[PATIENTS.indexOf(patient)] ?? PEOPLE[0]
  const reference = recordNumber(patient)
  const body = { ...person, gender: GENDERS[gender], reference, abhaAddress: patient }
  const calls = [
    { name: 'register', party: hip, method: 'POST', path: '/v1/patients', body, id: `register-${patient}`, once: true },
    ...HI_TYPES.map((hiType, i) =>
      addRecord(model, `add-${patient}-${i}`, { hip, patient, hiType, reference: `${reference}-${i}` }),
    ),
    {
      name: 'link',
      party: hip,
      method: 'POST',
      path: `/v1/patients/${reference}/link`,
      id: `l-${patient}`,
      once: true,
    },
  ] as const
  for (const call of calls) {
    const came = await clients.make(call)
    if (!came.startsWith('2')) throw new Error(`${call.name} at ${hip}: ${came}`)
  }
}

async function tokenOf(world: World, patient: string): Promise<string> {
  const { built, keys } = world.party(EXCHANGE)
  const issued = await transact(built.machine, (tx) =>
    issuePatientToken(
      tx,
      { exchange: { id: EXCHANGE }, signingKey: keys.signing },
      { patient: patient as AbhaAddress, actor: { kind: 'operator', id: 'simulation' } },
    ),
  )
  if (isRefusal(issued)) throw new Error(issued.detail)
  return issued.token
}
