import { Secret, TOTP } from 'otpauth'
import type { Random } from '../db/tx.ts'
import { plainDigits } from '../kernel/digits.ts'

/** As every authenticator app reads it (RFC 6238 with SHA-1, six digits, 30 seconds). */
const FORM = { algorithm: 'SHA1', digits: 6, period: 30 } as const
/** 160 bits (RFC 4226 §4, R6). */
const SECRET_BYTES = 20
/** A phone's clock may be off by one step. */
const STEPS_OFF_MAX = 1

/** A fresh secret, to be shared with the person's authenticator app. */
export function makeCodeSecret(random: Random): Uint8Array {
  return random(SECRET_BYTES)
}

const totpOf = (secret: Uint8Array, issuer = '', label = ''): TOTP =>
  new TOTP({ ...FORM, issuer, label, secret: new Secret({ buffer: new Uint8Array(secret).buffer }) })

/** What the QR code says (`otpauth://…`), and the secret in base32 for those who type it. */
export function shareCodeSecret(
  secret: Uint8Array,
  issuer: string,
  label: string,
): { readonly uri: string; readonly text: string } {
  const totp = totpOf(secret, issuer, label)
  return { uri: totp.toString(), text: totp.secret.base32 }
}

const stepAt = (now: Date): number => TOTP.counter({ period: FORM.period, timestamp: now.getTime() })

/**
 * The 30-second step whose code this is; undefined when it is the code of none within one step of now, or of a step that is not newer
 * than `used`: who saw a code typed cannot use it again.
 */
export function stepOfCode(secret: Uint8Array, code: string, now: Date, used: number): number | undefined {
  const token = plainDigits(code).replaceAll(/\s/g, '')
  // The library throws for texts of other lengths in bytes.
  if (!/^[0-9]{6}$/.test(token)) return undefined
  const delta = totpOf(secret).validate({ token, timestamp: now.getTime(), window: STEPS_OFF_MAX })
  if (delta === null) return undefined
  const step = stepAt(now) + delta
  return step > used ? step : undefined
}

/** For a sandbox in place of a phone: a code that was not used, and from when on it is good if all near ones were used. */
export function nextCode(secret: Uint8Array, now: Date, used: number): { readonly code: string; readonly from: Date } {
  const step = Math.max(stepAt(now), used + 1)
  const code = totpOf(secret).generate({ timestamp: step * FORM.period * 1000 })
  return { code, from: new Date(Math.max(now.getTime(), (step - STEPS_OFF_MAX) * FORM.period * 1000)) }
}

/** What an authenticator app shows that was given the secret as text (base32). */
export function codeOfSecret(text: string, now: Date): string {
  return new TOTP({ ...FORM, secret: Secret.fromBase32(text) }).generate({ timestamp: now.getTime() })
}
