import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'

/**
 * `safe-harbour`: 45 CFR 164.514(b)(2) carried over to Indian identifiers: of dates the year, of places the state, nobody older than 89.
 * `limited`: a limited data set, 164.514(e): dates shifted by one number of days per patient, of places state and PIN code. Either is
 * pseudonymous, not anonymous: whoever has the project's key can find a patient again.
 */
export type Mode = 'safe-harbour' | 'limited'

/** Pseudonyms and shifts are the same within a project and unrelated between projects. */
export type Project = {
  readonly id: string
  /** At least 32 secret bytes, kept by the facility, of this project alone. */
  readonly key: Uint8Array
}

/** Dates move by at most half a year, so that seasons can be undone by nobody without the key. */
const SHIFT_DAYS_MAX = 182
const KEY_BYTES_MIN = 32

function keyed(project: Project, purpose: string, value: string): Uint8Array {
  if (project.key.length < KEY_BYTES_MIN)
    throw new Error(`the key of a project has at least ${KEY_BYTES_MIN} bytes, not ${project.key.length}`)
  return hmac(sha256, project.key, new TextEncoder().encode(JSON.stringify([purpose, project.id, value])))
}

/** The patient's name in this project: 26 hexadecimal digits. */
export function patientPseudonym(project: Project, patient: string): string {
  return bytesToHex(keyed(project, 'patient', patient).subarray(0, 13))
}

/** A UUID in place of an id or address, made from it and from whose it is (RFC 9562 §5.8: version 8, own hash). */
export function pseudonymousUuid(project: Project, patient: string, name: string): string {
  const bytes = keyed(project, 'uuid', JSON.stringify([patient, name])).slice(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytesToHex(bytes)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** By how many days all dates of this patient move in this project: −182 to 182, never 0. */
export function shiftDaysOf(project: Project, patient: string): number {
  const bytes = keyed(project, 'shift', patient)
  const draw = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0) % BigInt(2 * SHIFT_DAYS_MAX)
  const days = Number(draw) - SHIFT_DAYS_MAX
  return days >= 0 ? days + 1 : days
}
