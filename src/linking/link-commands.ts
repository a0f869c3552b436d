import { createHmac } from 'node:crypto'
import { announce, record } from '../audit/record.ts'
import type { SigningKey } from '../crypto/signature.ts'
import type { Tx } from '../db/tx.ts'
import type { HiType } from '../fhir/hi-type.ts'
import { enqueue } from '../jobs/queue.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type AbhaAddress, type AbhaNumber, type FacilityId, parseAbhaAddress, toBucket } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { nameInText } from '../kernel/shown-words.ts'
import { isHip } from '../partners/bridge.ts'
import { facilityById } from '../partners/commands.ts'
import { readPatient, readPatientByAbhaNumber, readPatientsByMobile } from '../people/commands.ts'
import { type Patient, yearOfBirth } from '../people/patient.ts'
import { textFor } from '../people/texts.ts'
import { signToken, verifyToken } from '../vault/token.ts'
import {
  bareKey,
  type CareContext,
  type ContextPlace,
  checkGroups,
  contextsIn,
  type Group,
  keyOf,
} from './care-context.ts'
import { type Demographics, isSamePerson } from './demographics.ts'
import type { ContextKey, ContextsLinked, ContextUpdated, TextSent, TokenEvent } from './events.ts'
import {
  type Attempt,
  careContextsBehind,
  countAttempts,
  findCareContexts,
  findHolders,
  insertAttempt,
  saveCareContexts,
  touchCareContexts,
} from './store.ts'

export type LinkNeeds = {
  readonly exchange: { readonly id: string; readonly name: string }
  readonly signingKey: SigningKey
  readonly indexKey: Uint8Array
  readonly publicUrl: string
}

/** A text message for a mobile number; the handler of this job kind knows the way (`{mobile, text}`). */
export const TEXT_MESSAGE_JOB = 'text-message'

type Sought = Demographics & {
  readonly abhaAddress?: AbhaAddress | undefined
  readonly abhaNumber?: AbhaNumber | undefined
}

/**
 * Gives a facility that knows the patient a link token (ABDM V3 token/generate-token): number or address, and name, gender and year of
 * birth must fit. Three tries a day for one patient. Whether an address exists at all is told to nobody who does not know the person.
 */
export async function issueLinkToken(
  tx: Tx,
  needs: LinkNeeds,
  input: { readonly hip: FacilityId; readonly sought: Sought },
): Promise<{ readonly abhaAddress: AbhaAddress; readonly linkToken: string } | Refusal> {
  const { hip, sought } = input
  const facility = await facilityById(tx, hip)
  if (facility === undefined || !isHip(facility)) return refuse('partners/hip-unavailable')
  const patient = await findSought(tx, needs, sought)
  const attempt = attemptFor(needs, hip, sought, patient)
  if ((await countAttempts(tx, attempt)) >= LIMITS.linkTokensPerDayMax) return refuse('linking/blocked')
  const verdict = judge(sought, patient)
  const subject = patient?.abhaAddress ?? sought.abhaAddress
  const type = isRefusal(verdict) ? 'linking.token-refused' : 'linking.token-issued'
  const actor = { kind: 'facility', id: hip } as const
  // Of somebody unknown nothing is kept but that it was tried.
  const recorded =
    patient === undefined || subject === undefined
      ? await record(tx, { type, actor })
      : await record(tx, { type, actor, patient: subject, hip } satisfies TokenEvent)
  await insertAttempt(tx, recorded, attempt)
  await announce(tx, recorded)
  if (isRefusal(verdict)) return verdict
  const linkToken = await signToken(needs.signingKey, {
    issuer: needs.exchange.id,
    audience: 'amanat:link',
    now: tx.now,
    lifeMs: LIMITS.linkTokenMs,
    claims: { sub: verdict.abhaAddress, abhaNumber: verdict.abhaNumber, abhaAddress: verdict.abhaAddress, hipId: hip },
  })
  return { abhaAddress: verdict.abhaAddress, linkToken }
}

async function findSought(tx: Tx, needs: LinkNeeds, sought: Sought): Promise<Patient | undefined> {
  if (sought.abhaAddress !== undefined) return readPatient(tx, sought.abhaAddress)
  return sought.abhaNumber === undefined ? undefined : readPatientByAbhaNumber(tx, needs, sought.abhaNumber)
}

function judge(sought: Sought, patient: Patient | undefined): Patient | Refusal {
  const { abhaAddress, abhaNumber } = sought
  if (abhaAddress !== undefined && abhaNumber !== undefined && patient?.abhaNumber !== abhaNumber)
    return refuse('linking/identifiers-differ')
  if (patient === undefined) return refuse('linking/no-match')
  if (!isSamePerson({ name: patient.name, gender: patient.gender, yearOfBirth: yearOfBirth(patient) }, sought))
    return refuse('linking/no-match')
  return patient.status === 'active' ? patient : refuse('people/deactivated')
}

/** Tries count against the person who is meant, known or not: the count must not tell the one from the other. */
function attemptFor(needs: LinkNeeds, hip: FacilityId, sought: Sought, patient: Patient | undefined): Attempt {
  const subject = patient?.abhaAddress ?? sought.abhaAddress ?? blind(needs, 'abha-number', sought.abhaNumber ?? '')
  return { bucket: bucketOf(subject), kind: 'link-token', subject, facility: hip }
}

function blind(needs: LinkNeeds, kind: string, value: string): string {
  return createHmac('sha256', needs.indexKey).update(`linking_attempt\n${kind}\n${value}`).digest('hex')
}

/**
 * Links care contexts in the name of a HIP that holds a link token (ABDM V3 link/carecontext). The token must be of this HIP, address
 * and number. All contexts or none; those linked before stay as they are, and when all were, that is refused.
 */
export async function linkContexts(
  tx: Tx,
  needs: LinkNeeds,
  input: {
    readonly hip: FacilityId
    readonly linkToken: string | undefined
    readonly abhaAddress: AbhaAddress
    readonly abhaNumber?: AbhaNumber | undefined
    readonly groups: readonly (Group & { readonly count: number })[]
  },
): Promise<{ readonly linked: readonly ContextKey[] } | Refusal> {
  const patient = await checkLinkToken(tx, needs, input)
  if (isRefusal(patient)) return patient
  const fault = checkGroups(input.groups)
  if (fault) return fault
  const known = new Set((await findCareContexts(tx, patient.abhaAddress, input.hip)).map(keyOf))
  const fresh = contextsIn(input.groups).filter((context) => !known.has(keyOf(context)))
  if (fresh.length === 0) return refuse('linking/already-linked')
  return addLinks(tx, { patient: patient.abhaAddress, hip: input.hip, contexts: fresh, via: 'facility' })
}

async function checkLinkToken(
  tx: Tx,
  needs: LinkNeeds,
  input: {
    readonly hip: FacilityId
    readonly linkToken: string | undefined
    readonly abhaAddress: AbhaAddress
    readonly abhaNumber?: AbhaNumber | undefined
  },
): Promise<Patient | Refusal> {
  if (input.linkToken === undefined) return refuse('linking/invalid-token', 'X-LINK-TOKEN is missing.', 'X-LINK-TOKEN')
  const claims = await verifyToken(needs.signingKey, input.linkToken, {
    issuer: needs.exchange.id,
    audience: 'amanat:link',
    now: tx.now,
  })
  if (isRefusal(claims))
    return refuse('linking/invalid-token', `The link token is of no use: ${claims.detail}`, 'X-LINK-TOKEN')
  if (claims['hipId'] !== input.hip) return refuse('linking/token-hip-mismatch', undefined, 'X-HIP-ID')
  const address = parseAbhaAddress(String(claims['abhaAddress']))
  if (address === undefined || address !== input.abhaAddress)
    return refuse('linking/token-address-mismatch', undefined, 'abhaAddress')
  if (input.abhaNumber !== undefined && input.abhaNumber !== claims['abhaNumber'])
    return refuse('linking/token-number-mismatch', undefined, 'abhaNumber')
  const facility = await facilityById(tx, input.hip)
  if (facility === undefined || !isHip(facility)) return refuse('partners/hip-unavailable')
  const patient = await readPatient(tx, address)
  if (patient === undefined) return refuse('people/unknown-patient')
  return patient.status === 'active' ? patient : refuse('people/deactivated')
}

type NewLinks = {
  readonly patient: AbhaAddress
  readonly hip: FacilityId
  readonly contexts: readonly (ContextKey & { readonly patientDisplay: string; readonly display: string })[]
  readonly via: 'facility' | 'patient'
}

/** Records and stores links; both ways of linking end here. `people/deactivated` while the account sleeps: also where it fell asleep meanwhile. */
export async function addLinks(tx: Tx, links: NewLinks): Promise<{ readonly linked: readonly ContextKey[] } | Refusal> {
  const { patient, hip, via } = links
  if (await isAsleep(tx, patient)) return refuse('people/deactivated')
  const contexts = links.contexts.map(bareKey)
  const recorded = await record(tx, {
    type: 'linking.contexts-linked',
    actor: via === 'facility' ? { kind: 'facility', id: hip } : { kind: 'patient', id: patient },
    patient,
    hip,
    contexts,
    via,
  } satisfies ContextsLinked)
  await saveCareContexts(tx, recorded, links.contexts)
  await announce(tx, recorded)
  return { linked: contexts }
}

/** An account that is closed, too, has no links any more and gets none. */
async function isAsleep(tx: Tx, patient: AbhaAddress): Promise<boolean> {
  return (await readPatient(tx, patient))?.status !== 'active'
}

/**
 * A HIP says that a linked context has new data (ABDM V3 link/context/notify). HI types that are new in it are linked with it.
 * `people/deactivated` while the account sleeps: nothing is noted or told, then or when it wakes; the HIP may say it again.
 */
export async function notifyContext(
  tx: Tx,
  input: {
    readonly hip: FacilityId
    readonly patient: AbhaAddress
    readonly patientReference: string
    readonly careContextReference: string
    readonly hiTypes: readonly HiType[]
    readonly date: Date
  },
): Promise<true | Refusal> {
  const { hip, patient, patientReference, careContextReference } = input
  const same = (await findCareContexts(tx, patient, hip)).filter(
    (context) => context.patientReference === patientReference && context.careContextReference === careContextReference,
  )
  const [first] = same
  if (first === undefined)
    return refuse(
      'linking/not-linked',
      'No care context linked under this reference; link it first, or try again in a few seconds.',
    )
  if (await isAsleep(tx, patient)) return refuse('people/deactivated')
  const recorded = await record(tx, {
    type: 'linking.context-updated',
    actor: { kind: 'facility', id: hip },
    patient,
    hip,
    patientReference,
    careContextReference,
    hiTypes: input.hiTypes,
    date: input.date.toISOString(),
  } satisfies ContextUpdated)
  const known = new Set(same.map((context) => context.hiType))
  const { patientDisplay, display } = first
  const added = input.hiTypes
    .filter((hiType) => !known.has(hiType))
    .map((hiType) => ({ patientReference, careContextReference, hiType, patientDisplay, display }))
  await saveCareContexts(tx, recorded, added)
  await touchCareContexts(tx, recorded)
  await announce(tx, recorded)
  return true
}

/** Sends a text message that invites the owner of a number to link records of `hip` (ABDM V3 sms/notify2). Five a day for one number. */
export async function sendLinkText(
  tx: Tx,
  needs: LinkNeeds,
  input: { readonly hip: FacilityId; readonly mobile: string },
): Promise<true | Refusal> {
  const facility = await facilityById(tx, input.hip)
  if (facility === undefined || !isHip(facility)) return refuse('partners/hip-unavailable')
  const subject = blind(needs, 'mobile', input.mobile)
  const attempt: Attempt = {
    bucket: toBucket(Number.parseInt(subject.slice(0, 2), 16)),
    kind: 'text-message',
    subject,
    facility: input.hip,
  }
  if ((await countAttempts(tx, attempt)) >= LIMITS.textMessagesPerDayMax)
    return refuse(
      'request/too-many',
      `At most ${LIMITS.textMessagesPerDayMax} text messages a day go to one number for one facility.`,
    )
  const recorded = await record(tx, {
    type: 'linking.text-sent',
    actor: { kind: 'facility', id: input.hip },
    hip: input.hip,
  } satisfies TextSent)
  await insertAttempt(tx, recorded, attempt)
  // The name is the registry's: what a caller writes must not reach strangers' phones.
  const name = nameInText(facility.name, LIMITS.facilityInTextCharsMax) ?? facility.id
  const values = { facility: name, url: needs.publicUrl, service: needs.exchange.name }
  const text = textFor(await languageOfMobile(tx, needs, input.mobile), 'link.invite', values)
  await enqueue(tx, { kind: TEXT_MESSAGE_JOB, payload: { mobile: input.mobile, text } })
  await announce(tx, recorded)
  return true
}

/** The language of those who share a number, when they have one language; else English, as for a number that we do not know. */
async function languageOfMobile(tx: Tx, needs: LinkNeeds, mobile: string): Promise<string> {
  const languages = new Set((await readPatientsByMobile(tx, needs, mobile)).map(({ language }) => language))
  const [language = 'en'] = languages
  return languages.size === 1 ? language : 'en'
}

/** Linked care contexts of a patient, one entry for each HI type; of one facility when `hip` is given. */
export async function careContextsOf(tx: Tx, patient: AbhaAddress, hip?: FacilityId): Promise<readonly CareContext[]> {
  return findCareContexts(tx, patient, hip)
}

/** A page of a patient's linked care contexts, facility by facility; `next` is the place of its last, when there are more behind it. */
export async function careContextPage(
  tx: Tx,
  patient: AbhaAddress,
  { after, limit }: { readonly after?: ContextPlace | undefined; readonly limit: number },
): Promise<{ readonly contexts: readonly CareContext[]; readonly next?: ContextPlace }> {
  // One more than asked for says whether there is more.
  const found = await careContextsBehind(tx, patient, after, limit + 1)
  const contexts = found.slice(0, limit)
  const last = contexts.at(-1)
  return { contexts, ...(last === undefined || found.length === contexts.length ? {} : { next: last }) }
}

/** Facilities that hold something linked of a patient. */
export async function holdersOf(tx: Tx, patient: AbhaAddress): Promise<ReadonlySet<FacilityId>> {
  return new Set(await findHolders(tx, patient))
}

/** Whether every one of these references is linked at the facility, under any HI type. */
export async function isLinked(
  tx: Tx,
  patient: AbhaAddress,
  hip: FacilityId,
  refs: readonly { readonly patientReference: string; readonly careContextReference: string }[],
): Promise<boolean> {
  const pair = (ref: { readonly patientReference: string; readonly careContextReference: string }): string =>
    JSON.stringify([ref.patientReference, ref.careContextReference])
  const known = new Set((await findCareContexts(tx, patient, hip)).map(pair))
  return refs.every((ref) => known.has(pair(ref)))
}
