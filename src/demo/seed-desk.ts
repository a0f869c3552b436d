import { z } from 'zod'
import type { StaffRole } from '../kernel/staff-role.ts'
import { CallFault, callParty } from '../sandbox/client.ts'
import { type Network, type NetworkParty, partyOf } from '../sandbox/network-file.ts'
import { makePatientApp } from './patient-app.ts'
import type { DemoPatient, Holder, Population } from './people/person.ts'

/** Hospitals whose desks have a day: who is there, and who waits at the counter. */
const HOSPITALS = ['tarangini', 'vanashree'] as const satisfies readonly Holder[]
const VISITS_A_DAY = 5
const WAITING = 2
/** Who attends with the doctor, by turns. */
const UNITS = [[], ['lab'], [], ['pharmacy'], ['billing']] as const

const staff = z.object({
  staff: z.array(z.looseObject({ id: z.string(), role: z.string(), status: z.string() })),
})
const token = z.object({ token: z.string() })

/**
 * Gives the desks of the sample hospitals a day, at every start: visits of patients with the staff who attend them, and profiles
 * shared at the counter. A visit that is still open and a place in a queue that is still good stay as they are.
 */
export async function seedDesks(network: Network, population: Population, now: Date): Promise<void> {
  await Promise.all(
    HOSPITALS.map(async (key) => {
      const party = partyOf(network, key)
      const attending = await listAttending(party)
      await Promise.all([
        seedVisits(party, key, population, attending),
        seedShares(network, party, key, population, now),
      ])
    }),
  )
}

/** Doctors first, so that those with the longest stories have one. */
async function listAttending(party: NetworkParty): Promise<readonly string[]> {
  // The sample staff is less than one page.
  const { staff: listed } = staff.parse(await callParty(party, '/v1/staff?limit=100'))
  const everybody = listed.filter(({ status }) => status === 'active')
  const inRole = (role: StaffRole): readonly string[] =>
    everybody.filter((person) => person.role === role).map(({ id }) => id)
  return [...inRole('doctor'), ...inRole('nurse')]
}

async function seedVisits(
  party: NetworkParty,
  key: Holder,
  { holdings }: Population,
  attending: readonly string[],
): Promise<void> {
  const known = holdings.filter(({ holder }) => holder === key).slice(0, VISITS_A_DAY)
  for (const [at, { mrn }] of known.entries()) {
    const person = attending[at % Math.max(1, attending.length)]
    const attendants = [...(person === undefined ? [] : [person]), ...(UNITS[at % UNITS.length] ?? [])]
    await unlessThere(() =>
      callParty(party, '/v1/visits', {
        body: { patient: mrn, attendants, kind: at === 3 ? 'inpatient' : 'outpatient' },
      }),
    )
  }
}

/** People whom the hospital does not know yet scan the code of its counter. */
async function seedShares(
  network: Network,
  party: NetworkParty,
  key: Holder,
  { patients, holdings }: Population,
  now: Date,
): Promise<void> {
  const known = new Set(holdings.filter(({ holder }) => holder === key).map(({ abhaAddress }) => abhaAddress))
  const newHere = patients.filter(({ abhaAddress, guardian }) => guardian === undefined && !known.has(abhaAddress))
  for (const patient of newHere.slice(0, WAITING)) await share(partyOf(network, 'exchange'), party, patient, now)
}

async function share(exchange: NetworkParty, party: NetworkParty, patient: DemoPatient, now: Date): Promise<void> {
  const { abhaAddress, abhaNumber, name, gender, birthDate } = patient
  const session = token.parse(await callParty(exchange, '/v1/sandbox/tokens', { body: { patient: abhaAddress } }))
  const [yearOfBirth, monthOfBirth, dayOfBirth] = birthDate.split('-').map(Number)
  await makePatientApp(exchange, session.token, () => now).share(
    { hipId: party.id, context: '1' },
    { abhaAddress, abhaNumber, name, gender, yearOfBirth, monthOfBirth, dayOfBirth },
  )
}

/** Somebody's visit may be open since the last start. */
async function unlessThere(send: () => Promise<unknown>): Promise<void> {
  try {
    await send()
  } catch (error) {
    if (!(error instanceof CallFault && error.status === 409)) throw error
  }
}
