// A partner's software in one file, with nothing but Node: makes its key, gets a token that is bound to it, and calls.
//   node partner.mjs                                    prints its public keys
//   node partner.mjs BASE CLIENT_ID [PATH] [JSON]       calls PATH, with JSON by POST
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const [base, clientId, path = '/v1/partner/consents'] = process.argv.slice(2)
if (!existsSync('partner-key.pem')) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  writeFileSync('partner-key.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
}
const key = createPrivateKey(readFileSync('partner-key.pem'))
const jwk = createPublicKey(key).export({ format: 'jwk' })
if (clientId === undefined) {
  console.log(JSON.stringify({ keys: [{ ...jwk, kid: 'key-1', use: 'sig', alg: 'ES384' }] }))
  process.exit()
}

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
function jwt(header, claims) {
  const text = `${encode({ alg: 'ES384', ...header })}.${encode(claims)}`
  return `${text}.${sign('sha384', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}
const now = Math.floor(Date.now() / 1000)
const proof = (htm, htu, ath) => jwt({ typ: 'dpop+jwt', jwk }, { htm, htu, iat: now, jti: randomUUID(), ...ath })

const { token_endpoint: aud } = await (await fetch(`${base}/.well-known/smart-configuration`)).json()
const assertion = jwt({ kid: 'key-1', typ: 'JWT' }, { iss: clientId, sub: clientId, aud, iat: now, exp: now + 60, jti: randomUUID() })
const answer = await fetch(aud, {
  method: 'POST',
  headers: { dpop: proof('POST', aud) },
  body: new URLSearchParams({
    grant_type: 'client_credentials',
    scope: 'system/Consent.rs system/AuditEvent.rs',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  }),
})
const { access_token: token, ...rest } = await answer.json()
if (token === undefined) throw new Error(JSON.stringify(rest))

const url = `${base}${path}`
const ath = createHash('sha256').update(token).digest('base64url')
const body = process.argv[5]
const called = await fetch(url, {
  method: body === undefined ? 'GET' : 'POST',
  headers: {
    authorization: `DPoP ${token}`,
    dpop: proof(body === undefined ? 'GET' : 'POST', url, { ath }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  },
  ...(body === undefined ? {} : { body }),
})
console.log(called.status, await called.text())
