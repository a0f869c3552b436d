import { sql } from 'kysely'
import { type ReadEvent, type Replay, type Standing, stands, textOf } from '../audit/replay.ts'
import { type ArtefactStatus, endOfRequest, moveRequest } from './consent.ts'

const ABOUT_ARTEFACT = 'artefact '

/** The artefacts that a grant names, as far as it does. */
function artefactsOf(event: ReadEvent): readonly { readonly id: string; readonly hip?: string }[] {
  const consents: unknown = event['consents']
  return Array.isArray(consents) ? (consents as { id: string; hip?: string }[]) : []
}

/** A request that was granted ends with the last of its artefacts; no event says so by itself. */
function settleRequest(standing: Standing): Standing {
  const own = Object.entries(standing).filter(([field]) => !field.startsWith(ABOUT_ARTEFACT))
  const artefacts = Object.entries(standing).flatMap(([field, status]) =>
    field.startsWith(ABOUT_ARTEFACT) ? [status as ArtefactStatus] : [],
  )
  const end = standing['status'] === 'GRANTED' ? endOfRequest(artefacts) : undefined
  const status = end && moveRequest('GRANTED', end)
  return { ...Object.fromEntries(own), ...(status === undefined ? {} : { status }) }
}

const ended = (status: ArtefactStatus) => (event: ReadEvent) => {
  const request = textOf(event, 'request')
  const { subject } = event
  return request === undefined || subject === undefined
    ? []
    : [{ id: request, now: { [ABOUT_ARTEFACT + subject]: status } }]
}

/** Consent requests, artefacts and standing approvals, as the log says they stand. */
export const REPLAYS: readonly Replay[] = [
  {
    kind: 'consent request',
    named: 'by id',
    about: 'patient',
    says: {
      'consent.requested': (event) => stands({ status: 'REQUESTED', hiu: textOf(event, 'hiu') })(event),
      'consent.granted': (event) =>
        stands({
          status: 'GRANTED',
          ...Object.fromEntries(artefactsOf(event).map(({ id }) => [ABOUT_ARTEFACT + id, 'GRANTED'])),
        })(event),
      'consent.denied': stands({ status: 'DENIED' }),
      'consent.request-expired': stands({ status: 'EXPIRED' }),
      'consent.revoked': ended('REVOKED'),
      'consent.expired': ended('EXPIRED'),
    },
    settle: settleRequest,
    rows: ({ patient, bucket }) =>
      sql`select id::text, xmin::text as version, status, hiu from consent_request where bucket = ${bucket} and patient = ${patient}`,
  },
  {
    kind: 'consent artefact',
    named: 'by id',
    about: 'patient',
    says: {
      'consent.granted': (event) =>
        artefactsOf(event).map(({ id, hip }) => ({ id, now: { status: 'GRANTED', hip, hiu: textOf(event, 'hiu') } })),
      'consent.revoked': stands({ status: 'REVOKED' }),
      'consent.expired': stands({ status: 'EXPIRED' }),
    },
    rows: ({ patient, bucket }) =>
      sql`select id::text, xmin::text as version, status, hip, hiu from consent_artefact where bucket = ${bucket} and patient = ${patient}`,
  },
  {
    kind: 'standing approval',
    named: 'by id',
    about: 'patient',
    says: {
      'consent.policy-created': (event) => stands({ enabled: 'true', hiu: textOf(event, 'hiu') })(event),
      'consent.policy-enabled': stands({ enabled: 'true' }),
      'consent.policy-disabled': stands({ enabled: 'false' }),
    },
    rows: ({ patient, bucket }) =>
      sql`select id::text, xmin::text as version, enabled::text, hiu from approval_policy where bucket = ${bucket} and patient = ${patient}`,
  },
]
