import { announce, record } from '../audit/record.ts'
import type { Heard } from '../consent/emergency.ts'
import type { Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type Id, makeId, parseId } from '../kernel/id.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import { type ArtefactNeeds, endArtefactById, learnArtefact } from './artefacts.ts'
import {
  type AskedBy,
  type AskText,
  type ConsentAsk,
  type ConsentAskedEvent,
  type ConsentChangedEvent,
  type ErasureReason,
  MOVES,
  type NoticeEvent,
  next,
  type StatusAskedEvent,
  writeTerms,
} from './hiu.ts'
import { dropEarlyNotices, earlyConsentRequests, saveEarlyNotice, takeEarlyNotices } from './notice-store.ts'
import { transfersOf } from './requests.ts'
import {
  type Artefact,
  artefactsOf,
  type Consent,
  findConsent,
  insertConsent,
  knownId,
  lockConsent,
  moveConsent,
  saveKnownId,
} from './store.ts'
import type { TransferStatus } from './transfer.ts'

export type ConsentNeeds = ArtefactNeeds

/** A decision as the exchange tells it. `message` is the REQUEST-ID of the notification. */
export type Notice = {
  readonly consentRequest: Id<'consent-request'>
  readonly status: 'GRANTED' | 'DENIED' | 'EXPIRED' | 'REVOKED'
  readonly artefacts: readonly Id<'artefact'>[]
  readonly reason?: string
  readonly message: string
}

/** Asks a patient for consent, through the exchange. Refuses terms that cannot be: `hiu/invalid-terms`. */
export async function askConsent(
  tx: Tx,
  needs: ConsentNeeds,
  ask: ConsentAsk,
  by?: AskedBy,
): Promise<Id<'hiu-consent'> | Refusal> {
  if (ask.dataEraseAt <= tx.now)
    return refuse('hiu/invalid-terms', 'dataEraseAt must lie in the future.', 'dataEraseAt')
  if (ask.careContexts.length > 0 && ask.hip === undefined)
    return refuse('hiu/invalid-terms', 'Care contexts belong to a provider: name the HIP.', 'hip')
  const id = makeId<'hiu-consent'>(tx.now, tx.random, bucketOf(ask.patient))
  const asked: AskText = writeTerms(ask)
  const recorded = await record<ConsentAskedEvent>(tx, {
    type: 'hiu.consent-asked',
    actor: {
      kind: 'facility',
      id: needs.facility.id,
      person: {
        name: ask.requester.name,
        ...(by === undefined ? { role: 'requester' } : { role: by.role, staff: by.staff }),
      },
    },
    patient: ask.patient,
    subject: id,
    asked,
    ...(by?.emergency === undefined
      ? {}
      : {
          emergency: {
            ...by.emergency,
            person: {
              name: ask.requester.name,
              role: by.role,
              ...(ask.requester.registrationNumber === undefined
                ? {}
                : { registration: ask.requester.registrationNumber }),
            },
          },
        }),
  })
  await insertConsent(tx, recorded, id, ask, by)
  await announce(tx, recorded)
  return id
}

const about = (needs: ConsentNeeds, consent: Consent) =>
  ({ actor: { kind: 'facility', id: needs.facility.id }, patient: consent.patient, subject: consent.id }) as const

type ExchangeError = { readonly code?: string; readonly message: string }
type ConsentAnswer = ({ readonly id: Id<'consent-request'> } | { readonly error: ExchangeError }) & {
  readonly heard: Heard
}

const isEmergency = ({ askedBy }: Consent): boolean => askedBy?.template === 'emergency'

/**
 * The exchange's answer to a consent request (on-init): its id, or its error in its own words; and to an emergency, whether the patient was
 * told. It may say later that she was not, after all, by answering again.
 */
export async function takeConsentAnswer(
  tx: Tx,
  needs: ConsentNeeds,
  responseTo: string,
  answer: ConsentAnswer,
): Promise<true | Refusal> {
  const id = parseId<'hiu-consent'>(responseTo)
  const consent = id && (await lockConsent(tx, id))
  if (consent === undefined) return refuse('hiu/unknown-request')
  const status = next('consent', consent.status, 'error' in answer ? 'fail' : 'accept')
  if (status === undefined) {
    await noteNotTold(tx, needs, consent, answer)
    return true
  }
  if ('error' in answer) {
    await failConsent(tx, needs, consent, answer)
    return true
  }
  const recorded = await record<ConsentChangedEvent>(tx, {
    ...about(needs, consent),
    type: 'hiu.consent-accepted',
    exchangeId: answer.id,
    ...(isEmergency(consent) ? { heard: answer.heard } : {}),
  })
  if (
    !(await saveKnownId(tx, recorded, 'consent-request', answer.id, {
      bucket: bucketOf(consent.patient),
      id: consent.id,
    }))
  ) {
    return refuse(
      'hiu/artefact-mismatch',
      'This consent request id was given to another request already.',
      'consentRequest.id',
    )
  }
  await moveConsent(tx, recorded, consent, { status, exchangeId: answer.id })
  await announce(tx, recorded)
  await replayEarlyNotices(tx, needs, answer.id)
  return true
}

/** An answer that changes nothing but this: the patient was not told of an emergency. */
async function noteNotTold(tx: Tx, needs: ConsentNeeds, consent: Consent, { heard }: ConsentAnswer): Promise<void> {
  if (!isEmergency(consent) || heard === 'told') return
  const recorded = await record<ConsentChangedEvent>(tx, {
    ...about(needs, consent),
    type: 'hiu.patient-not-told',
    heard,
  })
  await announce(tx, recorded)
}

/** The request could not be delivered for good. */
export async function noteConsentUndelivered(
  tx: Tx,
  needs: ConsentNeeds,
  consentId: string,
  error: ExchangeError,
): Promise<void> {
  const consent = await lockConsent(tx, consentId)
  if (consent !== undefined) await failConsent(tx, needs, consent, { error, heard: 'not-told' })
}

async function failConsent(
  tx: Tx,
  needs: ConsentNeeds,
  consent: Consent,
  { error, heard }: { readonly error: ExchangeError; readonly heard: Heard },
): Promise<void> {
  const status = next('consent', consent.status, 'fail')
  if (status === undefined) return
  const reason = `${error.code === undefined ? '' : `${error.code}: `}${error.message}`
  const recorded = await record<ConsentChangedEvent>(tx, {
    ...about(needs, consent),
    type: 'hiu.consent-failed',
    reason,
    ...(isEmergency(consent) ? { heard } : {}),
  })
  await moveConsent(tx, recorded, consent, { status, reason })
  await announce(tx, recorded)
}

/** Asks the exchange where a consent request stands: for when a notification may have been lost. */
export async function refreshStatus(tx: Tx, needs: ConsentNeeds, id: Id<'hiu-consent'>): Promise<true | Refusal> {
  const consent = await findConsent(tx, id)
  if (consent === undefined) return refuse('hiu/unknown-consent')
  if (consent.exchangeId === undefined) return refuse('hiu/not-accepted')
  const recorded = await record<StatusAskedEvent>(tx, {
    ...about(needs, consent),
    type: 'hiu.status-asked',
    exchangeId: consent.exchangeId,
  })
  await announce(tx, recorded)
  return true
}

/** Takes a decision that the exchange tells of. One for a consent request that we do not know yet is kept for a while. */
export async function takeNotice(tx: Tx, needs: ConsentNeeds, notice: Notice): Promise<'taken' | 'kept'> {
  const place = await knownId(tx, 'consent-request', notice.consentRequest)
  const consent = place && (await lockConsent(tx, place.id, place.bucket))
  if (consent === undefined) {
    const recorded = await record(tx, {
      type: 'hiu.notice-kept',
      actor: { kind: 'facility', id: needs.facility.id },
      subject: notice.consentRequest,
    })
    await saveEarlyNotice(tx, recorded, notice.consentRequest, notice.message, notice)
    return 'kept'
  }
  await recordNotice(tx, needs, consent, notice, 'hiu.notice-received')
  await applyNotice(tx, needs, consent, notice)
  return 'taken'
}

async function recordNotice(
  tx: Tx,
  needs: ConsentNeeds,
  consent: Consent,
  notice: Notice,
  type: NoticeEvent['type'],
): Promise<void> {
  const { status, artefacts, message, reason } = notice
  await announce(
    tx,
    await record<NoticeEvent>(tx, {
      ...about(needs, consent),
      type,
      status,
      artefacts,
      message,
      ...(reason === undefined ? {} : { reason }),
    }),
  )
}

/** The answer to {@link refreshStatus}: brings us to where the exchange is, without an acknowledgement. */
export async function takeStatus(
  tx: Tx,
  needs: ConsentNeeds,
  told: Omit<Notice, 'status' | 'message'> & { readonly status: Notice['status'] | 'REQUESTED' },
): Promise<true | Refusal> {
  const place = await knownId(tx, 'consent-request', told.consentRequest)
  const consent = place && (await lockConsent(tx, place.id, place.bucket))
  if (consent === undefined) return refuse('hiu/unknown-consent')
  const { status } = told
  if (status !== 'REQUESTED') await applyNotice(tx, needs, consent, { ...told, status, message: '' })
  return true
}

async function applyNotice(tx: Tx, needs: ConsentNeeds, consent: Consent, notice: Notice): Promise<void> {
  if (notice.status !== 'GRANTED') return applyEnd(tx, needs, consent, notice)
  if (isFinal(consent)) {
    if (notice.message !== '') await recordNotice(tx, needs, consent, notice, 'hiu.notice-ignored')
    return
  }
  const moved = await move(tx, needs, consent, 'grant', notice)
  for (const id of notice.artefacts) await learnArtefact(tx, needs, moved, id)
  await settleConsent(tx, needs, moved)
}

function isFinal({ status }: Consent): boolean {
  return Object.keys(MOVES.consent[status]).length === 0
}

async function applyEnd(tx: Tx, needs: ConsentNeeds, consent: Consent, notice: Notice): Promise<void> {
  const reason: ErasureReason =
    notice.status === 'EXPIRED' ? 'EXPIRED' : notice.status === 'DENIED' ? 'DENIED' : 'REVOKED'
  const known = await artefactsOf(tx, consent)
  const ids =
    notice.artefacts.length > 0 && reason !== 'DENIED' ? notice.artefacts : known.map((artefact) => artefact.id)
  for (const id of ids) await endArtefactById(tx, needs, consent, id, reason)
  if (reason === 'DENIED') await move(tx, needs, consent, 'deny', notice)
  // Without artefacts it is the request itself that ended.
  else if (notice.artefacts.length === 0 && consent.status === 'requested')
    await move(tx, needs, consent, reason === 'EXPIRED' ? 'expire' : 'revoke', notice)
  else await settleConsent(tx, needs, consent)
}

/** A granted consent ends with its last artefact. */
async function settleConsent(tx: Tx, needs: ConsentNeeds, consent: Consent): Promise<void> {
  if (consent.status !== 'granted') return
  const artefacts = await artefactsOf(tx, consent)
  if (artefacts.length === 0 || artefacts.some(({ status }) => status !== 'revoked' && status !== 'expired')) return
  await move(
    tx,
    needs,
    consent,
    artefacts.every(({ status }) => status === 'expired') ? 'expire-last' : 'revoke-last',
    {},
  )
}

async function move(
  tx: Tx,
  needs: ConsentNeeds,
  consent: Consent,
  how: string,
  notice: { readonly reason?: string },
): Promise<Consent> {
  const status = next('consent', consent.status, how)
  if (status === undefined) return consent
  const { reason } = notice
  const recorded = await record(tx, {
    ...about(needs, consent),
    type: 'hiu.consent-moved',
    status,
    ...(reason === undefined ? {} : { reason }),
  })
  await moveConsent(tx, recorded, consent, { status, ...(reason === undefined ? {} : { reason }) })
  await announce(tx, recorded)
  return { ...consent, status }
}

/** Ends an artefact whose `dataEraseAt` has come, and its consent with the last one. */
export async function expireArtefact(
  tx: Tx,
  needs: ConsentNeeds,
  artefact: Pick<Artefact, 'id' | 'patient' | 'consent'>,
): Promise<void> {
  const consent = await lockConsent(tx, artefact.consent)
  if (consent === undefined) return
  await endArtefactById(tx, needs, consent, artefact.id, 'EXPIRED')
  await settleConsent(tx, needs, consent)
}

/** Applies notifications that were kept, now that their consent request is known. */
async function replayEarlyNotices(tx: Tx, needs: ConsentNeeds, consentRequest: string): Promise<void> {
  if ((await knownId(tx, 'consent-request', consentRequest)) === undefined) return
  for (const { notice } of await takeEarlyNotices(tx, consentRequest)) await takeNotice(tx, needs, notice as Notice)
}

/** Chore: replays what overtook its answer while both were being handled, drops what nothing explains. */
export async function tidyEarlyNotices(tx: Tx, needs: ConsentNeeds, keptMs: number): Promise<void> {
  for (const id of await earlyConsentRequests(tx, 100)) await replayEarlyNotices(tx, needs, id)
  await dropEarlyNotices(tx, new Date(tx.now.getTime() - keptMs))
}

export type ArtefactView = Artefact & {
  readonly transfers: readonly (TransferStatus & { readonly id: Id<'hiu-request'> })[]
}
export type ConsentView = Consent & { readonly artefacts: readonly ArtefactView[] }

/** A consent with what was asked, what each artefact gives, and what is missing of its data and why. */
export async function readConsent(tx: Tx, id: Id<'hiu-consent'>): Promise<ConsentView | Refusal> {
  const consent = await findConsent(tx, id)
  if (consent === undefined) return refuse('hiu/unknown-consent')
  const artefacts: ArtefactView[] = []
  for (const artefact of await artefactsOf(tx, consent))
    artefacts.push({ ...artefact, transfers: await transfersOf(tx, artefact) })
  return { ...consent, artefacts }
}
