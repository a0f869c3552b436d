import { z } from 'zod'
import { type Route, route } from '../http/route.ts'
import { operatorOf } from '../kernel/caller.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { addPatient, addRecord, givenDocument, listPatients, readPatient } from '../records/commands.ts'
import { newPatient, newRecord } from '../records/messages.ts'
import { type Scanner, scanInCall } from '../records/scanner.ts'
import { listArtefacts } from './artefact-commands.ts'
import { type LinkNeeds, linkPatient, pageOfLinked, readLinks } from './link-commands.ts'
import { listDisclosures } from './transfer-commands.ts'

const limit = z.coerce.number().int().min(1).max(LIMITS.pageSizeMax).default(LIMITS.pageSizeDefault)
const patientsQuery = z.object({ after: z.string().max(60).optional(), limit })
const linksQuery = z.object({
  after: z.string().max(LIMITS.textCharsMax).optional(),
  limit: z.coerce.number().int().min(1).max(LIMITS.pageSizeMax).default(LIMITS.pageSizeMax),
})
const artefactsQuery = z.object({ before: z.uuid().optional(), limit })
const disclosuresQuery = z.object({ patient: z.string().max(100).optional(), before: z.uuid().optional(), limit })

const common = { dialect: 'native', auth: 'operator' } as const
const unknownPatient = { 404: { description: 'No patient has this reference.' } }

export type HipRouteNeeds = LinkNeeds & { readonly scanner?: Scanner }

/** What hospital software and staff call at their own facility: patients, records, links, and what was given away. */
export function hipRoutes(needs: HipRouteNeeds): readonly Route[] {
  return [...patientWrites(needs), ...patientReads(), ...accountRoutes()]
}

function patientWrites(needs: HipRouteNeeds): readonly Route[] {
  return [
    route({
      ...common,
      method: 'POST',
      path: '/v1/patients',
      summary: 'Registers a patient of this facility, or changes one.',
      once: true,
      body: newPatient,
      answers: {
        200: { description: 'The patient; known already.' },
        201: { description: 'The patient, registered or changed.' },
        409: { description: 'Another patient has this ABHA address.' },
      },
      handle: async (call) => {
        const saved = await addPatient(call.tx, needs, operatorOf(call.caller), call.body)
        return isRefusal(saved) ? saved : { status: saved.changed ? 201 : 200, body: saved.patient }
      },
    }),
    route({
      ...common,
      method: 'POST',
      path: '/v1/patients/:reference/records',
      summary: 'Adds a record: facts of one of the eight record types, or a FHIR document made by others.',
      once: true,
      body: newRecord,
      bodyBytesMax: LIMITS.pushBodyBytesMax,
      answers: {
        201: { description: 'The record, and what its document breaks.' },
        ...unknownPatient,
        422: { description: 'The record is about somebody else, or holds malware.' },
        503: { description: 'The scanner for malware did not look at it; nothing was taken.' },
      },
      handle: async (call) => {
        const unsafe = needs.scanner && (await scanInCall(needs.scanner, givenDocument(call.body)))
        if (unsafe !== undefined) return unsafe.refusal
        const added = await addRecord(call.tx, operatorOf(call.caller), call.params['reference'] ?? '', call.body)
        return isRefusal(added) ? added : { status: 201, body: added }
      },
    }),
    route({
      ...common,
      method: 'POST',
      path: '/v1/patients/:reference/link',
      summary: "Links the patient's care contexts at the exchange; the steps follow by themselves.",
      once: true,
      answers: {
        202: { description: 'Started; see GET /v1/patients/{reference}.' },
        ...unknownPatient,
        409: { description: 'The patient has no ABHA address here.' },
      },
      handle: async (call) => {
        const started = await linkPatient(call.tx, needs, call.params['reference'] ?? '')
        return isRefusal(started) ? started : { status: 202, body: { status: 'started' } }
      },
    }),
  ]
}

function patientReads(): readonly Route[] {
  return [
    route({
      ...common,
      method: 'GET',
      path: '/v1/patients',
      summary: 'Patients of this facility, page by page.',
      once: false,
      query: patientsQuery,
      answers: { 200: { description: 'Patients, and where to go on.' } },
      handle: async (call) => {
        const patients = await listPatients(call.tx, call.query.after, call.query.limit)
        const last = patients.at(-1)
        return {
          status: 200,
          body: {
            patients,
            ...(patients.length < call.query.limit || last === undefined ? {} : { after: last.reference }),
          },
        }
      },
    }),
    route({
      ...common,
      method: 'GET',
      path: '/v1/patients/:reference',
      summary: 'One patient, and how their care contexts stand at the exchange, a page of those linked.',
      once: false,
      query: linksQuery,
      answers: {
        200: { description: 'The patient, and how many are linked; with `next`, ask again with it as `after`.' },
        ...unknownPatient,
      },
      handle: async (call) => {
        const patient = await readPatient(call.tx, call.params['reference'] ?? '')
        if (isRefusal(patient)) return patient
        const { count, calls } = await readLinks(call.tx, patient.reference)
        const { linked, ...more } = await pageOfLinked(call.tx, patient.reference, call.query)
        const steps = calls.map(({ kind, status, contexts, error }) => ({
          kind,
          status,
          careContexts: contexts.map(({ reference }) => reference),
          ...(error === undefined ? {} : { error }),
        }))
        return {
          status: 200,
          body: { patient, linkedCareContexts: linked, linkedCount: count, ...more, linking: steps },
        }
      },
    }),
  ]
}

function accountRoutes(): readonly Route[] {
  return [
    route({
      ...common,
      method: 'GET',
      path: '/v1/disclosures',
      summary: 'What this facility gave away, to whom, under which consent; and what it held back.',
      once: false,
      query: disclosuresQuery,
      answers: { 200: { description: 'Disclosures, newest first, and where to go on.' } },
      handle: async (call) => {
        const { patient, before, limit: count } = call.query
        const disclosures = await listDisclosures(call.tx, {
          limit: count,
          ...(patient === undefined ? {} : { patient }),
          ...(before === undefined ? {} : { before }),
        })
        const last = disclosures.at(-1)
        return {
          status: 200,
          body: {
            disclosures,
            ...(disclosures.length < count || last === undefined ? {} : { before: last.event }),
          },
        }
      },
    }),
    route({
      ...common,
      method: 'GET',
      path: '/v1/artefacts',
      summary: 'Consents under which this facility shares, or shared.',
      once: false,
      query: artefactsQuery,
      answers: { 200: { description: 'Consent artefacts, newest first, and where to go on.' } },
      handle: async (call) => {
        const artefacts = await listArtefacts(call.tx, call.query.before, call.query.limit)
        const last = artefacts.at(-1)
        return {
          status: 200,
          body: {
            artefacts,
            ...(artefacts.length < call.query.limit || last === undefined ? {} : { before: last.consentId }),
          },
        }
      },
    }),
  ]
}
