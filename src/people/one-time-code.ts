import { Secret, TOTP } from 'otpauth'
import type { Random } from '../db/tx.ts'

const SECRET_BYTES = 20
const PERIOD_S = 30
/** The code before and the code after count too: phones' clocks differ. */
const WINDOW = 1

const secretOf = (bytes: Uint8Array): Secret => new Secret({ buffer: new Uint8Array(bytes).buffer })

/** A fresh secret for an authenticator app (RFC 6238: as long as the hash). */
export function makeCodeSecret(random: Random): Uint8Array {
  return random(SECRET_BYTES)
}

/** The secret as an authenticator app takes it: `otpauth:` address for a QR code, and letters to type. */
export function shareCodeSecret(
  secret: Uint8Array,
  issuer: string,
  label: string,
): { readonly uri: string; readonly text: string } {
  const shared = secretOf(secret)
  return { uri: new TOTP({ issuer, label, secret: shared, period: PERIOD_S }).toString(), text: shared.base32 }
}

/** The time step whose code this is, later than `usedStep`; undefined when it is none (RFC 6238 §5.2: a code is good for one use). */
export function stepOfCode(secret: Uint8Array, code: string, now: Date, usedStep: number): number | undefined {
  const token = code.replaceAll(/\s/g, '')
  if (!/^\d{6}$/.test(token)) return undefined
  const timestamp = now.getTime()
  const delta = new TOTP({ secret: secretOf(secret), period: PERIOD_S }).validate({ token, timestamp, window: WINDOW })
  if (delta === null) return undefined
  const step = Math.floor(timestamp / 1000 / PERIOD_S) + delta
  return step > usedStep ? step : undefined
}
