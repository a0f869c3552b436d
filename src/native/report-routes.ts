import type { z } from 'zod'
import { announce, record } from '../audit/record.ts'
import { markErased, markKept } from '../consent/end-commands.ts'
import { artefactById } from '../consent/readers.ts'
import { type Call, type Route, route } from '../http/route.ts'
import { type FacilityId, type Id, parseFacilityId } from '../kernel/id.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { careContextsOf } from '../linking/link-commands.ts'
import { facilityById } from '../partners/commands.ts'
import { accessReport, erasureReport, retentionReport } from './messages.ts'
import type { AccessReported, PageReported } from './native.ts'

const report = {
  dialect: 'native',
  auth: 'partner',
  scope: 'system/AuditEvent.c',
  method: 'POST',
  once: true,
} as const

/** What facilities report to the exchange beyond ABDM: who looked, and that a copy is erased. */
export function reportRoutes(): readonly Route[] {
  return [
    route({
      ...report,
      path: '/v1/accesses',
      summary: 'A person of a facility looked at records received under a consent, or at the facility’s own',
      body: accessReport,
      answers: {
        202: { description: 'Recorded; the patient sees it' },
        404: { description: 'No such consent of this facility' },
      },
      handle: async ({ tx, body, ...call }) => {
        const about = await subjectOf(tx, call, body)
        if (isRefusal(about)) return about
        await announce(tx, await record<AccessReported | PageReported>(tx, reported(about, body)))
        return { status: 202 }
      },
    }),
    route({
      ...report,
      path: '/v1/retentions',
      summary: 'A law makes the facility keep the copy received under an ended consent, sealed and unread, until a day',
      body: retentionReport,
      answers: {
        202: { description: 'Recorded; the patient sees until when and why' },
        404: { description: 'No such consent of this facility' },
        409: { description: 'The consent still lives' },
      },
      handle: async ({ tx, body, ...call }) => {
        const artefact = await ownArtefact(tx, call, body.consentId)
        if (isRefusal(artefact)) return artefact
        const marked = await markKept(tx, { ...body, hiu: artefact.hiu, until: new Date(body.until) })
        return isRefusal(marked) ? marked : { status: 202 }
      },
    }),
    route({
      ...report,
      path: '/v1/erasures',
      summary: 'The copy received under an ended consent is erased',
      body: erasureReport,
      answers: {
        202: { description: 'Recorded; the patient sees it' },
        404: { description: 'No such consent of this facility' },
        409: { description: 'The consent still lives' },
      },
      handle: async ({ tx, body, ...call }) => {
        const artefact = await ownArtefact(tx, call, body.consentId)
        if (isRefusal(artefact)) return artefact
        const { consentId, ...attestation } = body
        const marked = await markErased(tx, { consentId, hiu: artefact.hiu, attestation })
        return isRefusal(marked) ? marked : { status: 202 }
      },
    }),
  ]
}

type About = Pick<AccessReported, 'patient' | 'subject' | 'facilityName'> & { readonly facility: FacilityId }

function reported(
  { subject, ...about }: About,
  { basis, attending, joined, asFile, person, purpose, what, at }: z.output<typeof accessReport>,
): AccessReported | PageReported {
  const actor = { kind: 'facility', id: about.facility, person } as const
  if (basis === 'page' || purpose === undefined || what === undefined)
    return { type: 'access.page-reported', actor, ...about, at }
  return {
    type: 'access.reported',
    actor,
    ...about,
    ...(subject === undefined ? {} : { subject }),
    ...(basis === undefined ? {} : { basis }),
    ...(attending === undefined ? {} : { attending }),
    ...(joined === true ? { joined } : {}),
    ...(asFile === true ? { asFile } : {}),
    at,
    purpose,
    what,
  }
}

/** Whose records were looked at, and where: by the consent, or by a patient who has linked care contexts at the facility that reports. */
async function subjectOf(
  tx: Call<never, never>['tx'],
  call: Pick<Call<never, never>, 'caller' | 'headers'>,
  report: z.output<typeof accessReport>,
): Promise<About | Refusal> {
  if (report.consentId !== undefined) {
    const artefact = await ownArtefact(tx, call, report.consentId)
    if (isRefusal(artefact)) return artefact
    return {
      patient: artefact.patient,
      subject: report.consentId,
      facility: artefact.hiu,
      facilityName: artefact.detail.hiu.name,
    }
  }
  const facility = reportingFacility(call)
  if (isRefusal(facility)) return facility
  const { patient } = report
  // Who is no patient of this facility answers as one that does not exist.
  const linked = patient === undefined ? [] : await careContextsOf(tx, patient, facility)
  if (patient === undefined || linked.length === 0) return refuse('people/unknown-patient', undefined, 'patient')
  return { patient, facility, facilityName: (await facilityById(tx, facility))?.name ?? facility }
}

function reportingFacility(call: Pick<Call<never, never>, 'caller' | 'headers'>): FacilityId | Refusal {
  const hiu: FacilityId | Refusal =
    parseFacilityId(call.headers['x-hiu-id'] ?? '') ??
    refuse('request/invalid-header', 'X-HIU-ID must name the facility that reports.', 'X-HIU-ID')
  if (isRefusal(hiu)) return hiu
  return call.caller.kind === 'partner' && call.caller.facilities.includes(hiu) ? hiu : refuse('auth/forbidden')
}

/** The artefact, if the calling client speaks for its HIU; somebody else's consent does not exist for this caller. */
async function ownArtefact(
  tx: Call<never, never>['tx'],
  call: Pick<Call<never, never>, 'caller' | 'headers'>,
  id: Id<'artefact'>,
) {
  const unknown = refuse('consent/unknown-artefact', undefined, 'consentId')
  const hiu = reportingFacility(call)
  if (isRefusal(hiu)) return hiu
  const artefact = await artefactById(tx, id)
  return artefact !== undefined && artefact.hiu === hiu ? artefact : unknown
}
