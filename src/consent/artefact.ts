import { canonicalJson } from '../crypto/canonical-json.ts'
import { type ForeignJwk, type SigningKey, signDetached, verifyDetached } from '../crypto/signature.ts'
import type { Id } from '../kernel/id.ts'
import type { Refusal } from '../kernel/refusal.ts'
import type { ConsentAsk, ConsentDetail, GrantItem, Permission, WirePermission } from './consent.ts'

/** care_abdm refuses longer names (protocol sheet 2.9). */
const NAME_CHARS_MAX = 50

export function wirePermission({ accessMode, dateRange, dataEraseAt, frequency }: Permission): WirePermission {
  const { unit, value, repeats } = frequency
  return {
    accessMode,
    dateRange: { from: dateRange.from.toISOString(), to: dateRange.to.toISOString() },
    dataEraseAt: dataEraseAt.toISOString(),
    frequency: { unit, value, repeats },
  }
}

export function readPermission({ accessMode, dateRange, dataEraseAt, frequency }: WirePermission): Permission {
  return {
    accessMode,
    dateRange: { from: new Date(dateRange.from), to: new Date(dateRange.to) },
    dataEraseAt: new Date(dataEraseAt),
    frequency,
  }
}

/** The detail of one artefact: what was asked, narrowed to what the patient gave. */
export function makeDetail(input: {
  readonly id: Id<'artefact'>
  readonly now: Date
  readonly asked: ConsentAsk
  readonly item: GrantItem
  readonly hipName: string
  readonly hiuName: string
  readonly exchange: string
}): ConsentDetail {
  const { asked, item } = input
  const at = input.now.toISOString()
  return {
    schemaVersion: 'v3',
    consentId: input.id,
    createdAt: at,
    lastUpdated: at,
    patient: { id: asked.patient },
    careContexts: item.careContexts.map(({ patientReference, careContextReference }) => ({
      patientReference,
      careContextReference,
    })),
    purpose: asked.purpose,
    hip: { id: item.hip, name: input.hipName.slice(0, NAME_CHARS_MAX) },
    hiu: { id: asked.hiu, name: input.hiuName.slice(0, NAME_CHARS_MAX) },
    consentManager: { id: input.exchange },
    requester: asked.requester,
    hiTypes: item.hiTypes,
    permission: wirePermission(item.permission),
  }
}

/** The text whose UTF-8 bytes are signed: canonical JSON (RFC 8785) of the whole detail, no member left out. */
export function artefactText(detail: unknown): string {
  return canonicalJson(detail)
}

/** RS256 over the bytes of {@link artefactText}; base64, 344 characters for a key of 2048 bits. */
export function signArtefact(key: SigningKey, detail: ConsentDetail): string {
  return signDetached(key, detail)
}

/** Checks an artefact's signature by a key of the exchange's JWKS. `detail` is the JSON value as received, every member of it. */
export function verifyArtefact(key: ForeignJwk | string, detail: unknown, signature: string): true | Refusal {
  return verifyDetached(key, detail, signature)
}
