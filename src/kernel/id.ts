declare const brand: unique symbol

/** A string that has been checked to name one kind of thing. Made only by the makers in this file. */
export type Id<Kind extends string> = string & { readonly [brand]: Kind }

/** `asha.rao@sbx`: the patient's ABHA address, lower case (protocol sheet 1.2). */
export type AbhaAddress = string & { readonly [brand]: 'abha-address' }
/** Fourteen digits without dashes. */
export type AbhaNumber = string & { readonly [brand]: 'abha-number' }
/** Service id of a facility as HIP or HIU, `IN2710000011`; sandboxes also use free strings. */
export type FacilityId = string & { readonly [brand]: 'facility' }

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const ABHA_ADDRESS = /^[a-z0-9][a-z0-9_.]*[a-z0-9]@[a-z0-9]+$/
/** The two digits of each byte. */
const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const FACILITY = /^[A-Za-z0-9][A-Za-z0-9_.@-]{1,63}$/

/** Reads a UUID of any version, either case; undefined when it is none. */
export function parseId<Kind extends string>(text: string): Id<Kind> | undefined {
  const lower = text.toLowerCase()
  return UUID.test(lower) ? (lower as Id<Kind>) : undefined
}

/** Reads an ABHA address, any case; undefined when it is none. */
export function parseAbhaAddress(text: string): AbhaAddress | undefined {
  const lower = text.trim().toLowerCase()
  return isAbhaAddress(lower) ? lower : undefined
}

/** Whether a text, as it stands, is an ABHA address as we write them. */
export function isAbhaAddress(text: string): text is AbhaAddress {
  return text.length <= 100 && ABHA_ADDRESS.test(text)
}

/** Reads an ABHA number, with or without dashes; undefined when it is not 14 digits. */
export function parseAbhaNumber(text: string | number): AbhaNumber | undefined {
  const digits = String(text).replaceAll('-', '').trim()
  return /^\d{14}$/.test(digits) ? (digits as AbhaNumber) : undefined
}

/** Reads a facility (service) id; undefined when it has other characters than ids have. */
export function parseFacilityId(text: string): FacilityId | undefined {
  return FACILITY.test(text) ? (text as FacilityId) : undefined
}

/** `91-0000-0000-0001`, as people read it. */
export function showAbhaNumber(number: AbhaNumber): string {
  return `${number.slice(0, 2)}-${number.slice(2, 6)}-${number.slice(6, 10)}-${number.slice(10)}`
}

/** 0–255: where rows of one patient live together (architecture, "PostgreSQL everywhere"). */
export type Bucket = number & { readonly [brand]: 'bucket' }

export function toBucket(value: number): Bucket {
  if (!Number.isInteger(value) || value < 0 || value > 255) throw new RangeError(`not a bucket: ${value}`)
  return value as Bucket
}

/**
 * Makes a UUIDv7 (RFC 9562 §5.7) whose last byte is `bucket`, so that an id seen on the wire alone tells
 * where its rows live.
 */
export function makeId<Kind extends string>(
  now: Date,
  random: (bytes: number) => Uint8Array,
  bucket: Bucket,
): Id<Kind> {
  const bytes = new Uint8Array(16)
  bytes.set(random(16))
  let ms = now.getTime()
  for (let i = 5; i >= 0; i--) {
    bytes[i] = ms % 256
    ms = Math.floor(ms / 256)
  }
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  bytes[15] = bucket
  let hex = ''
  for (const byte of bytes) hex += HEX[byte]
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as Id<Kind>
}

/** The bucket that {@link makeId} put into `id`. Ids made by others give some bucket too: look there, find nothing. */
export function bucketOfId(id: Id<string>): Bucket {
  return toBucket(Number.parseInt(id.slice(-2), 16))
}
