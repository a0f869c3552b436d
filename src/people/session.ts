import type { Id } from '../kernel/id.ts'

export type SessionKind = 'patient' | 'staff'
/** How the person proved who they are. */
export type SessionProof =
  | 'otp'
  | 'passkey'
  | 'password-totp'
  | 'password-recovery'
  | 'sso'
  | 'sso-totp'
  | 'sso-recovery'

/** A session of a web app: the browser holds a random value in a cookie, we its digest. */
export type WebSession = {
  readonly id: Id<'web-session'>
  readonly kind: SessionKind
  /** ABHA address, or id of the person of the staff. */
  readonly person: string
  readonly how: SessionProof
  /** What the browser says that it is, for the person to recognise. */
  readonly device: string
  readonly openedAt: Date
  readonly seenAt: Date
  readonly expiresAt: Date
}

/** Cookies do not know ports: the name says the app and the party, so that several parties on one machine do not overwrite each other's. */
export function cookieNameOf(kind: SessionKind, party: string): string {
  return `amanat_${kind === 'patient' ? 'me' : 'desk'}_${party.replaceAll(/[^A-Za-z0-9]/g, '_')}`
}

const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdgA?\//, 'Edge'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\bOPR\//, 'Opera'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(Chrome|CriOS|HeadlessChrome)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
]
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\bAndroid\b/, 'Android'],
  [/\b(iPhone|iPad)\b/, 'iOS'],
  [/\bWindows\b/, 'Windows'],
  [/\bMacintosh\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
]

/** `Chrome, Android`: what a `User-Agent` names, and no more of it than a person needs to recognise the device. Empty when unknown. */
export function deviceOf(userAgent: string | undefined): string {
  const named = (of: typeof BROWSERS): string | undefined => of.find(([sign]) => sign.test(userAgent ?? ''))?.[1]
  return [named(BROWSERS), named(SYSTEMS)].filter((word) => word !== undefined).join(', ')
}
