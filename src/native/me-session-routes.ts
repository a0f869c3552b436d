import { type Route, route } from '../http/route.ts'
import { isRefusal, refuse } from '../kernel/refusal.ts'
import { changeLanguage, dependantsOf, type IndexNeeds, readPatient } from '../people/commands.ts'
import { listPasskeys } from '../people/passkey-commands.ts'
import { signedInPerson } from '../people/patient-proofs.ts'
import { endOtherPatientSessions, endPatientSession } from '../people/patient-session.ts'
import { clearedCookie, readSession, sessionLines, type WebNeeds } from '../people/session-commands.ts'
import { languageChoice } from './me-sign-in-messages.ts'

const mine = { dialect: 'native', auth: 'patient', once: false } as const
type Needs = IndexNeeds & { readonly web: WebNeeds }

/** Who is signed in to the patient app, on which devices, in which language; and signing out. */
export function meSessionRoutes(needs: Needs): readonly Route[] {
  return [sessionRoute(needs), signOutRoute(needs), ...devicesRoutes(needs), languageRoute()]
}

function sessionRoute(needs: Needs): Route {
  return route({
    ...mine,
    method: 'GET',
    path: '/v1/session',
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
      const passkeys = await listPasskeys(tx, { kind: 'patient', person: abhaAddress })
      const body = {
        kind: 'patient',
        patient: { abhaAddress, abhaNumber, name, gender, birthDate, language },
        dependants: dependants.map((each) => ({
          abhaAddress: each.abhaAddress,
          name: each.name,
          birthDate: each.birthDate,
          basis: each.guardianBasis ?? 'parent',
        })),
        passkeys: passkeys.length,
        ...(session === undefined ? {} : { csrf: session.csrf, expiresAt: session.expiresAt, how: session.how }),
      }
      return { status: 200, body }
    },
  })
}

function signOutRoute(needs: Needs): Route {
  return route({
    ...mine,
    method: 'DELETE',
    path: '/v1/session',
    summary: 'Sign out: this session ends',
    answers: { 204: { description: 'Signed out' } },
    handle: async ({ tx, caller }) => {
      if (caller.kind !== 'patient') return refuse('auth/forbidden')
      if (caller.session === undefined)
        return refuse('auth/forbidden', 'A token ends by itself; only a session of the app can be signed out.')
      const fault = await endPatientSession(tx, signedInPerson(caller), caller.session)
      return fault ?? { status: 204, headers: { 'set-cookie': clearedCookie(needs.web, 'patient') } }
    },
  })
}

function devicesRoutes(needs: Needs): readonly Route[] {
  return [
    route({
      ...mine,
      method: 'GET',
      path: '/v1/me/sessions',
      summary: 'Where I am signed in: device, since when, last used',
      answers: { 200: { description: 'Sessions, last used first' } },
      handle: async ({ tx, caller }) => {
        if (caller.kind !== 'patient') return refuse('auth/forbidden')
        return { status: 200, body: await sessionLines(tx, 'patient', signedInPerson(caller), caller.session) }
      },
    }),
    route({
      ...mine,
      method: 'DELETE',
      path: '/v1/me/sessions',
      summary: 'Signs out all my devices but this one',
      answers: { 204: { description: 'Signed out' } },
      handle: async ({ tx, caller }) => {
        if (caller.kind !== 'patient') return refuse('auth/forbidden')
        await endOtherPatientSessions(tx, signedInPerson(caller), caller.session)
        return { status: 204 }
      },
    }),
    route({
      ...mine,
      method: 'DELETE',
      path: '/v1/me/sessions/:id',
      summary: 'Signs out a device of mine',
      answers: { 204: { description: 'Signed out' }, 404: { description: 'No such session of mine' } },
      handle: async ({ tx, caller, params }) => {
        if (caller.kind !== 'patient') return refuse('auth/forbidden')
        const id = params['id'] ?? ''
        const fault = await endPatientSession(tx, signedInPerson(caller), id)
        if (fault) return fault
        return id === String(caller.session)
          ? { status: 204, headers: { 'set-cookie': clearedCookie(needs.web, 'patient') } }
          : { status: 204 }
      },
    }),
  ]
}

function languageRoute(): Route {
  return route({
    ...mine,
    method: 'PUT',
    path: '/v1/me/language',
    summary: 'The language in which I read',
    body: languageChoice,
    answers: { 204: { description: 'Changed' } },
    handle: async ({ tx, caller, body }) => {
      if (caller.kind !== 'patient') return refuse('auth/forbidden')
      const changed = await changeLanguage(tx, signedInPerson(caller), body.language)
      return isRefusal(changed) ? changed : { status: 204 }
    },
  })
}
