import { type Route, route } from '../http/route.ts'
import type { PatientCaller } from '../kernel/caller.ts'
import type { AbhaAddress } from '../kernel/id.ts'
import { isRefusal, refuse } from '../kernel/refusal.ts'
import { dependantsOf, type IndexNeeds, readPatient } from '../people/commands.ts'
import { endPatientSession } from '../people/patient-session.ts'
import { clearedCookie, readSession, type WebNeeds } from '../people/session-commands.ts'

const mine = { dialect: 'native', auth: 'patient', once: false, path: '/v1/session' } as const

/** The person who is signed in, whoever she acts for just now. */
export function signedInPerson({ patient, guardian }: PatientCaller): AbhaAddress {
  return guardian ?? patient
}

/** Who is signed in to the patient app, and signing out. */
export function meSessionRoutes(needs: IndexNeeds & { readonly web: WebNeeds }): readonly Route[] {
  return [
    route({
      ...mine,
      method: 'GET',
      summary: 'Who is signed in, for whom she may act, and the word that her pages send as X-CSRF',
      answers: { 200: { description: 'The session' }, 401: { description: 'Nobody is signed in' } },
      handle: async ({ tx, caller, headers }) => {
        if (caller.kind !== 'patient') return refuse('auth/forbidden')
        const session = await readSession(tx, needs.web, 'patient', { method: 'GET', headers })
        if (isRefusal(session)) return session
        const person = await readPatient(tx, signedInPerson(caller))
        if (person === undefined) return refuse('auth/no-session')
        const { abhaAddress, abhaNumber, name, gender, birthDate, language } = person
        const dependants = await dependantsOf(tx, needs, abhaAddress)
        const body = {
          kind: 'patient',
          patient: { abhaAddress, abhaNumber, name, gender, birthDate, language },
          dependants: dependants.map((each) => ({
            abhaAddress: each.abhaAddress,
            name: each.name,
            birthDate: each.birthDate,
          })),
          ...(session === undefined ? {} : { csrf: session.csrf, expiresAt: session.expiresAt, how: session.how }),
        }
        return { status: 200, body }
      },
    }),
    route({
      ...mine,
      method: 'DELETE',
      summary: 'Sign out: this session ends',
      answers: { 204: { description: 'Signed out' } },
      handle: async ({ tx, caller }) => {
        if (caller.kind !== 'patient') return refuse('auth/forbidden')
        if (caller.session === undefined)
          return refuse('auth/forbidden', 'A token ends by itself; only a session of the app can be signed out.')
        const fault = await endPatientSession(tx, signedInPerson(caller), caller.session)
        if (fault) return fault
        return { status: 204, headers: { 'set-cookie': clearedCookie(needs.web, 'patient') } }
      },
    }),
  ]
}
