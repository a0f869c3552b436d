import { createHmac, generateKeyPairSync } from 'node:crypto'
import type { SigningKey } from '../src/crypto/signature.ts'

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** The token with the same claims, made by somebody who has the public key only. */
export function forgeries(token: string, key: SigningKey): Readonly<Record<string, string>> {
  const claims = token.split('.')[1] ?? ''
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const keyed = `${encode({ alg: 'HS256', kid: key.kid })}.${claims}`
  const pem = JSON.stringify(key.publicJwk)
  return {
    'alg none': `${encode({ alg: 'none', kid: key.kid })}.${claims}.`,
    'HS256 by the public key': `${keyed}.${createHmac('sha256', pem).update(keyed).digest('base64url')}`,
    'the signature of another token': [
      ...token.split('.').slice(0, 2),
      encode(stranger.export({ format: 'jwk' })),
    ].join('.'),
  }
}
