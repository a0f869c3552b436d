import { announce, record } from '../audit/record.ts'
import { markErased } from '../consent/end-commands.ts'
import { artefactById } from '../consent/readers.ts'
import { type Call, type Route, route } from '../http/route.ts'
import { type FacilityId, type Id, parseFacilityId } from '../kernel/id.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { accessReport, erasureReport } from './messages.ts'
import type { AccessReported } from './native.ts'

const report = { dialect: 'native', auth: 'bridge', method: 'POST', once: true } as const

/** What facilities report to the exchange beyond ABDM: who looked, and that a copy is erased. */
export function reportRoutes(): readonly Route[] {
  return [
    route({
      ...report,
      path: '/v1/accesses',
      summary: 'A person of the requesting facility looked at records received under a consent',
      body: accessReport,
      answers: {
        202: { description: 'Recorded; the patient sees it' },
        404: { description: 'No such consent of this facility' },
      },
      handle: async ({ tx, body, ...call }) => {
        const artefact = await ownArtefact(tx, call, body.consentId)
        if (isRefusal(artefact)) return artefact
        const { consentId, person, ...rest } = body
        const recorded = await record(tx, {
          type: 'access.reported',
          actor: { kind: 'facility', id: artefact.hiu, person },
          patient: artefact.patient,
          subject: consentId,
          facility: artefact.hiu,
          facilityName: artefact.detail.hiu.name,
          ...rest,
        } satisfies AccessReported)
        await announce(tx, recorded)
        return { status: 202 }
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

/** The artefact, if the calling bridge serves its HIU; somebody else's consent does not exist for this caller. */
async function ownArtefact(
  tx: Call<never, never>['tx'],
  call: Pick<Call<never, never>, 'caller' | 'headers'>,
  id: Id<'artefact'>,
) {
  const unknown = refuse('consent/unknown-artefact', undefined, 'consentId')
  const hiu: FacilityId | Refusal =
    parseFacilityId(call.headers['x-hiu-id'] ?? '') ??
    refuse('request/invalid-header', 'X-HIU-ID must name the facility that reports.', 'X-HIU-ID')
  if (isRefusal(hiu)) return hiu
  if (call.caller.kind !== 'bridge' || !call.caller.facilities.includes(hiu)) return refuse('auth/forbidden')
  const artefact = await artefactById(tx, id)
  return artefact !== undefined && artefact.hiu === hiu ? artefact : unknown
}
