import { toString as drawCode } from 'qrcode'
import { type LinkNeeds, linkPatient, readLinks } from '../hip/link-commands.ts'
import { type Route, route } from '../http/route.ts'
import { staffOf } from '../kernel/caller.ts'
import { parseId } from '../kernel/id.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { readPatient } from '../records/commands.ts'
import type { FacilityPatient } from '../records/patient.ts'
import { staffNames } from './colleagues.ts'
import { listVisits } from './commands.ts'
import { lookAtList, lookAtPatient } from './looks.ts'
import { deskPatient, patientChange, patientSearch } from './messages.ts'
import { changePatient, listShares, registerPatient, searchPatients, takeShare } from './patients.ts'
import { showVisit } from './show-visit.ts'

export type PatientRouteNeeds = LinkNeeds & {
  /** Where the exchange serves its patient app; absent at an exchange that is not ours. */
  readonly patientAppUrl?: string
}

const common = { dialect: 'native', auth: 'staff' } as const
const unknownPatient = { 404: { description: 'No patient has this reference.' } }

/** Finding and registering patients at the desk, by hand or by a shared profile. */
export function deskPatientRoutes(needs: PatientRouteNeeds): readonly Route[] {
  return [
    findRoute(needs),
    ...registerRoutes(needs),
    readRoute(needs),
    linkRoute(needs),
    ...shareRoutes(needs),
    codeRoute(needs),
  ]
}

function findRoute(needs: PatientRouteNeeds): Route {
  return route({
    ...common,
    method: 'POST',
    path: '/v1/desk/patients/find',
    act: 'patient.find',
    summary:
      'Finds patients by name, number, ABHA address or mobile. The log keeps that somebody searched, not for what.',
    once: false,
    body: patientSearch,
    answers: { 200: { description: 'At most 20 patients, and whether there are more.' } },
    handle: async ({ tx, caller, body }) => {
      const found = await searchPatients(tx, needs, staffOf(caller), body.text)
      return isRefusal(found) ? found : { status: 200, body: { ...found, patients: found.patients.map(showBriefly) } }
    },
  })
}

function registerRoutes(needs: PatientRouteNeeds): readonly Route[] {
  return [
    route({
      ...common,
      method: 'POST',
      path: '/v1/desk/patients',
      act: 'patient.register',
      summary: 'Registers a patient; without a reference the desk gives the next number.',
      once: true,
      body: deskPatient,
      answers: {
        201: { description: 'The patient.' },
        409: { description: 'Another patient has this number or this ABHA address.' },
      },
      handle: async ({ tx, caller, body }) => {
        const patient = await registerPatient(tx, needs, staffOf(caller), body)
        return isRefusal(patient) ? patient : { status: 201, body: { patient } }
      },
    }),
    route({
      ...common,
      method: 'POST',
      path: '/v1/desk/patients/:reference',
      act: 'patient.register',
      summary: 'Changes what this facility knows of a patient.',
      once: true,
      body: patientChange,
      answers: {
        200: { description: 'The patient.' },
        ...unknownPatient,
        409: { description: 'Another patient has this ABHA address.' },
      },
      handle: async ({ tx, caller, params, body }) => {
        const patient = await changePatient(tx, needs, staffOf(caller), params['reference'] ?? '', body)
        return isRefusal(patient) ? patient : { status: 200, body: { patient } }
      },
    }),
  ]
}

function readRoute(needs: PatientRouteNeeds): Route {
  return route({
    ...common,
    method: 'GET',
    path: '/v1/desk/patients/:reference',
    act: 'patient.find',
    summary: 'One patient: who she is, her visits, and how her care contexts stand at the exchange.',
    once: false,
    answers: { 200: { description: 'The patient.' }, ...unknownPatient },
    handle: async ({ tx, caller, params }) => {
      const patient = await readPatient(tx, params['reference'] ?? '')
      if (isRefusal(patient)) return patient
      const staff = staffOf(caller)
      await lookAtPatient(tx, needs, staff, patient.reference)
      const names = await staffNames(tx)
      const visits = await listVisits(tx, patient.reference)
      const { count, calls } = await readLinks(tx, patient.reference)
      const [latest] = calls
      return {
        status: 200,
        body: {
          patient,
          visits: visits.map((visit) => showVisit(visit, names, staff, tx.now)),
          links: {
            linked: count,
            ...(latest === undefined
              ? {}
              : {
                  latest: {
                    kind: latest.kind,
                    status: latest.status,
                    ...(latest.error === undefined ? {} : { error: latest.error }),
                  },
                }),
          },
        },
      }
    },
  })
}

/** Enough to tell people of one name apart; the rest stands on the patient's own page. */
function showBriefly({ reference, name, gender, birthDate, abhaAddress, mobile }: FacilityPatient): object {
  return {
    reference,
    name,
    gender,
    birthDate,
    ...(abhaAddress === undefined ? {} : { abhaAddress }),
    ...(mobile === undefined ? {} : { mobileEnds: mobile.slice(-4) }),
  }
}

function linkRoute(needs: PatientRouteNeeds): Route {
  return route({
    ...common,
    method: 'POST',
    path: '/v1/desk/patients/:reference/link',
    act: 'link.start',
    summary: "Links the patient's care contexts at the exchange; the steps follow by themselves.",
    once: true,
    answers: {
      202: { description: 'Started.' },
      ...unknownPatient,
      409: { description: 'The patient has no ABHA address here.' },
    },
    handle: async ({ tx, params }) => {
      const started = await linkPatient(tx, needs, params['reference'] ?? '')
      return isRefusal(started) ? started : { status: 202, body: { status: 'started' } }
    },
  })
}

function shareRoutes(needs: PatientRouteNeeds): readonly Route[] {
  return [
    route({
      ...common,
      method: 'GET',
      path: '/v1/desk/shares',
      act: 'share.receive',
      summary:
        'Profiles that patients shared at our counters and that wait for the desk, with their place in the queue.',
      once: false,
      answers: { 200: { description: 'Shared profiles, the first come first.' } },
      handle: async ({ tx, caller }) => {
        const shares = await listShares(tx, needs)
        await lookAtList(tx, needs, staffOf(caller), 'shares', shares.length)
        return { status: 200, body: { shares } }
      },
    }),
    route({
      ...common,
      method: 'POST',
      path: '/v1/desk/shares/:id/register',
      act: 'share.receive',
      summary: 'Registers the patient of a shared profile, or finds that she is known.',
      once: true,
      answers: {
        200: { description: 'The patient; known before.' },
        201: { description: 'The patient, new.' },
        404: { description: 'There is no such profile.' },
        409: { description: 'Somebody took it already.' },
      },
      handle: async ({ tx, caller, params }) => {
        const id = parseId<'share'>(params['id'] ?? '')
        const taken = id === undefined ? refuse('hip/unknown-share') : await takeShare(tx, needs, staffOf(caller), id)
        return isRefusal(taken) ? taken : { status: taken.isNew ? 201 : 200, body: taken }
      },
    }),
  ]
}

const COUNTER = /^[A-Za-z0-9-]{1,20}$/

function codeRoute(needs: PatientRouteNeeds): Route {
  return route({
    ...common,
    method: 'GET',
    path: '/v1/desk/counters/:counter/code',
    act: 'share.receive',
    summary: 'The code of a counter, as a picture: a patient scans it and shows her profile there.',
    once: false,
    answers: {
      200: { description: 'image/svg+xml' },
      409: { description: 'The exchange has no patient app of ours.' },
    },
    handle: async ({ params }) => {
      const link = shareLink(needs, params['counter'] ?? '')
      if (isRefusal(link)) return link
      const picture = await drawCode(link, { type: 'svg', margin: 2, errorCorrectionLevel: 'M' })
      return { status: 200, body: picture, headers: { 'content-type': 'image/svg+xml' } }
    },
  })
}

/** What the code of a counter says: the patient app's page for sharing, with whom and where. */
export function shareLink(
  needs: Pick<PatientRouteNeeds, 'facility' | 'patientAppUrl'>,
  counter: string,
): string | Refusal {
  if (needs.patientAppUrl === undefined) return refuse('desk/no-share-address')
  if (!COUNTER.test(counter)) return refuse('request/not-found')
  const link = new URL('/me/share', needs.patientAppUrl)
  link.searchParams.set('hip', needs.facility.id)
  link.searchParams.set('counter', counter)
  return link.href
}
