import { generateKeyPairSync } from 'node:crypto'
import { SignJWT } from 'jose'
import { openKeys } from '../src/app.ts'
import type { SigningKey } from '../src/crypto/signature.ts'
import type { StaffRole } from '../src/kernel/staff-role.ts'
import { forgeries } from './forged-tokens.ts'
import { at } from './json-path.ts'
import type { TestNetwork } from './network.ts'
import { ASHA, RAVI } from './people.ts'
import type { Permission } from './permissions.ts'

/** One way to come: a token in one of the two headers that carry tokens. */
export type Way = {
  readonly name: string
  readonly headers: Readonly<Record<string, string>>
  readonly proves?: Permission['who']
  /** Of a person of the staff. */
  readonly role?: StaffRole
  /** One of many that prove nothing anywhere, for one and the same check. */
  readonly isVariant?: true
}
export type Tokens = Readonly<
  Record<string, { readonly token: string; readonly proves?: Permission['who']; readonly isVariant?: true }>
>

/** Of whom Asha is the guardian; one of them has grown up. */
export const CHILD = {
  ...ASHA,
  abhaAddress: 'tara.rao@sbx',
  abhaNumber: '91000000000003',
  name: 'Tara Rao',
  birthDate: '2024-05-05',
}
export const GROWN = {
  ...ASHA,
  abhaAddress: 'kabir.rao@sbx',
  abhaNumber: '91000000000004',
  name: 'Kabir Rao',
  birthDate: '2001-01-05',
}

/** Tokens of every kind, good and bad; `session` is of a bridge for `facility`. */
export async function everyToken(
  network: TestNetwork,
  { session, facility, other }: { readonly session: string; readonly facility: string; readonly other: string },
): Promise<Tokens> {
  const { signing } = await openKeys(network.keysFolder('sbx'))
  const patient = await network.patientToken(RAVI.abhaAddress)
  const sign = (
    audience: string,
    claims: Readonly<Record<string, unknown>>,
    changes: { issuer?: string; ageS?: number; key?: SigningKey['privateKey'] } = {},
  ) => {
    const issuedAt = Math.floor(Date.now() / 1000) - (changes.ageS ?? 0)
    const jwt = new SignJWT({ ...claims }).setProtectedHeader({ alg: 'RS256', kid: signing.kid, typ: 'JWT' })
    return jwt
      .setIssuer(changes.issuer ?? 'sbx')
      .setAudience(audience)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + 600)
      .sign(changes.key ?? signing.privateKey)
  }
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const bridge = String(at(JSON.parse(Buffer.from(session.split('.')[1] ?? '', 'base64url').toString()), 'sub'))
  const forPatient = (sub: string, guardian?: string) =>
    sign('amanat:patient', { sub, ...(guardian === undefined ? {} : { act: { sub: guardian } }) })
  return {
    'a session': { token: session, proves: 'bridge' },
    'a patient': { token: patient, proves: 'patient' },
    'a guardian for a child': { token: await network.patientToken(CHILD.abhaAddress), proves: 'patient' },
    'a callback token for this facility': { token: await sign('account', { sub: facility }), proves: 'exchange' },
    'a callback token for another facility': { token: await sign('account', { sub: other }) },
    'an operator of another party': { token: 'x'.repeat(43) },
    'a guardian of another child': { token: await forPatient(CHILD.abhaAddress, RAVI.abhaAddress) },
    ...variants({
      'a link token': await sign('amanat:link', {
        sub: RAVI.abhaAddress,
        abhaAddress: RAVI.abhaAddress,
        hipId: other,
      }),
      'an expired session': await sign('amanat:session', { sub: bridge }, { ageS: 3_600 }),
      'an expired patient': await sign('amanat:patient', { sub: RAVI.abhaAddress }, { ageS: 3_600 }),
      'a session of another exchange': await sign('amanat:session', { sub: bridge }, { issuer: 'other' }),
      'a session by another key': await sign('amanat:session', { sub: bridge }, { key: stranger }),
      'a patient by another key': await sign('amanat:patient', { sub: RAVI.abhaAddress }, { key: stranger }),
      'a callback by another key': await sign('account', { sub: facility }, { key: stranger }),
      'a patient who does not exist': await forPatient('nobody@sbx'),
      'a guardian of a grown-up child': await forPatient(GROWN.abhaAddress, ASHA.abhaAddress),
      'a patient with a broken guardian': await forPatient(RAVI.abhaAddress, 'not an address'),
      ...forgeries(session, signing),
    }),
  }
}

const variants = (tokens: Readonly<Record<string, string>>): Tokens =>
  Object.fromEntries(Object.entries(tokens).map(([name, token]) => [name, { token, isVariant: true }]))

/** Each token in both headers that carry tokens, and the operator's. */
export function waysOf(tokens: Tokens, operatorToken: string): readonly Way[] {
  const all: Tokens = { ...tokens, 'the operator': { token: operatorToken, proves: 'operator' } }
  return Object.entries(all).flatMap(([name, { token, proves, isVariant }]): Way[] => {
    const usual = proves === undefined ? (isVariant ? { isVariant } : {}) : { proves }
    // A good token in the wrong header, too, is only one more way to prove nothing.
    const wrong = { isVariant: true } as const
    const asPatient = proves === 'patient' || proves === undefined
    const asOther = proves !== 'patient'
    return [
      {
        name: `${name} in Authorization`,
        headers: { authorization: `Bearer ${token}` },
        ...(asOther ? usual : wrong),
      },
      { name: `${name} in X-AUTH-TOKEN`, headers: { 'X-AUTH-TOKEN': token }, ...(asPatient ? usual : wrong) },
    ]
  })
}
