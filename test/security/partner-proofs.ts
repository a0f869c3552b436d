import { X509Certificate } from 'node:crypto'
import { thumbprintOf } from '../../src/http/client-certificate.ts'
import { makeCertificate } from '../certificates.ts'
import { textAt } from '../json-path.ts'
import type { TestNetwork } from '../network.ts'
import { ASSERTION_TYPE, assertionOf, dpopOf, makeTestKey } from '../partner-client.ts'
import type { Seeded } from '../seeded.ts'

export type Headers = Readonly<Record<string, string>>
/** What proves somebody for one call; a DPoP proof is made for the method and path of that call. */
export type Proof = (call: { readonly method: string; readonly path: string }, random: Seeded) => Promise<Headers>

/** A token lives for five minutes. */
const RENEW_MS = 200_000

/**
 * Software of a partner for these facilities, admitted by the operator, that proves itself as real ones do: by its own key
 * (private_key_jwt) with DPoP, or by its certificate, or with a token that is good for whoever holds it. Which, is chosen for each call.
 */
export async function partnerProofs(
  network: TestNetwork,
  party: string,
  facilities: readonly string[],
): Promise<Proof> {
  const ways = await Promise.all([
    dpopWay(network, party, facilities),
    certificateWay(network, party, facilities),
    bearerWay(network, party, facilities),
  ])
  return async (call, random) => {
    const proved = await random.pick(ways)(call, random)
    return { ...proved, 'X-HIU-ID': random.pick(facilities) }
  }
}

async function dpopWay(network: TestNetwork, party: string, facilities: readonly string[]): Promise<Proof> {
  const { url } = network.party(party)
  const key = await makeTestKey()
  const clientId = await admit(network, party, { facilities, jwks: { keys: [key.jwk] } })
  const proof = (method: string, path: string, token?: string) =>
    dpopOf(key, { method, url: `${url}${path}`, now: new Date(), ...(token === undefined ? {} : { token }) })
  const fresh = await renewing(async () => {
    const assertion = await assertionOf(key, { clientId, tokenUrl: `${url}/oauth/token`, now: new Date() })
    return askToken(url, byAssertion(assertion), { dpop: await proof('POST', '/oauth/token') })
  })
  return async ({ method, path }) => {
    const token = await fresh()
    return { authorization: `DPoP ${token}`, dpop: await proof(method, path.split('?')[0] ?? '', token) }
  }
}

async function certificateWay(network: TestNetwork, party: string, facilities: readonly string[]): Promise<Proof> {
  const { url } = network.party(party)
  const { raw } = new X509Certificate(makeCertificate('partner.example').pem)
  const clientId = await admit(network, party, { facilities, certificates: [thumbprintOf(raw)] })
  const shown = { 'client-cert': `:${raw.toString('base64')}:` }
  const fresh = await renewing(() => askToken(url, { client_id: clientId }, shown))
  return async () => ({ ...shown, authorization: `Bearer ${await fresh()}` })
}

async function bearerWay(network: TestNetwork, party: string, facilities: readonly string[]): Promise<Proof> {
  const { url } = network.party(party)
  const key = await makeTestKey()
  const clientId = await admit(network, party, { facilities, jwks: { keys: [key.jwk] }, bearerAllowed: true })
  const fresh = await renewing(async () =>
    askToken(
      url,
      byAssertion(await assertionOf(key, { clientId, tokenUrl: `${url}/oauth/token`, now: new Date() })),
      {},
    ),
  )
  return async () => ({ authorization: `Bearer ${await fresh()}` })
}

async function admit(network: TestNetwork, party: string, admission: object): Promise<string> {
  const usual = { name: 'Software of a partner', scopes: ['system/*.cruds'] }
  const { status, body } = await network.operator(party, '/v1/partners', { ...usual, ...admission })
  if (status !== 201) throw new Error(`admit: ${status} ${JSON.stringify(body)}`)
  return textAt(body, 'clientId')
}

const byAssertion = (client_assertion: string): Headers => ({ client_assertion_type: ASSERTION_TYPE, client_assertion })

async function askToken(url: string, form: Headers, headers: Headers): Promise<string> {
  const body = new URLSearchParams({ grant_type: 'client_credentials', scope: 'system/*.cruds', ...form })
  const answer = await fetch(`${url}/oauth/token`, { method: 'POST', headers, body })
  const said: unknown = await answer.json()
  if (answer.status !== 200) throw new Error(`token: ${answer.status} ${JSON.stringify(said)}`)
  return textAt(said, 'access_token')
}

/** Makes a token now, and a new one when the last does not live long enough. */
async function renewing(make: () => Promise<string>): Promise<() => Promise<string>> {
  let token = make()
  let madeMs = performance.now()
  await token
  return () => {
    if (performance.now() - madeMs > RENEW_MS) {
      madeMs = performance.now()
      token = make()
    }
    return token
  }
}
