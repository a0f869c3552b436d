import { randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import { openKeys } from '../../src/app.ts'
import { exchangeRoutes } from '../../src/app-exchange.ts'
import { facilityRoutes } from '../../src/app-facility.ts'
import { logRoutes, witnessRoutes } from '../../src/audit/routes.ts'
import type { Auth, Route } from '../../src/http/route.ts'
import { operatorRoutes } from '../../src/native/operator-routes.ts'
import { partnerDoorRoutes } from '../../src/native/partner-door.ts'
import { partnerOperatorRoutes } from '../../src/native/partner-operator-routes.ts'
import { textAt } from '../json-path.ts'
import { callJson, TestNetwork } from '../network.ts'
import { ASHA, RAVI } from '../people.ts'
import { addStaff, signInStaff } from '../staff.ts'

export const HOSPITAL = 'IN2710000011'
export const ATTACKER = 'IN2910000099'

// Route tables only close over their needs; nothing of them is called here.
const none = { sandbox: true } as never
const everywhere = [
  ...logRoutes(none),
  ...witnessRoutes(none),
  ...operatorRoutes(none),
  // Refusals of the token endpoint are those of RFC 6749: src/partners/token.db.test.ts calls it by all means.
  ...partnerDoorRoutes(none).filter(({ form }) => form === undefined),
  ...partnerOperatorRoutes(),
]
export const AT_EXCHANGE: readonly Route[] = [...exchangeRoutes(none), ...everywhere]
export const AT_FACILITY: readonly Route[] = [...facilityRoutes(none), ...everywhere]
export const nameOf = (route: Route): string => `${route.method} ${route.path}`

export type Proofs = Readonly<Partial<Record<Auth, Readonly<Record<string, string>>>>>
/** An exchange and a hospital, with somebody of each kind who may call them, and a registered bridge that means no good. */
export type World = {
  readonly network: TestNetwork
  readonly exchange: { readonly url: string; readonly proofs: Proofs }
  readonly hospital: { readonly url: string; readonly proofs: Proofs }
  readonly bridge: { readonly clientId: string; readonly clientSecret: string; readonly session: string }
}

export async function startWorld(options: Parameters<typeof TestNetwork.start>[0] = {}): Promise<World> {
  const network = await TestNetwork.start({ facilities: [HOSPITAL], ...options })
  for (const person of [ASHA, RAVI]) await network.enrol(person)
  const bridge = await makeBridge(network)
  const patient = await network.patientToken(ASHA.abhaAddress)
  const doctor = await signInStaff(network, HOSPITAL, await addStaff(network, HOSPITAL, 'doctor'))
  const operatorOf = (id: string) => ({ authorization: `Bearer ${network.party(id).operatorToken}` })
  return {
    network,
    bridge,
    exchange: {
      url: network.exchange.url,
      proofs: {
        none: {},
        bridge: { authorization: `Bearer ${bridge.session}`, 'X-HIP-ID': ATTACKER, 'X-HIU-ID': ATTACKER },
        patient: { 'X-AUTH-TOKEN': patient },
        operator: operatorOf('sbx'),
      },
    },
    hospital: {
      url: network.party(HOSPITAL).url,
      proofs: {
        none: {},
        exchange: {
          authorization: `Bearer ${await callbackToken(network)}`,
          'X-HIP-ID': HOSPITAL,
          'X-HIU-ID': HOSPITAL,
        },
        staff: { ...doctor },
        operator: operatorOf(HOSPITAL),
        console: { origin: network.party(HOSPITAL).url, 'sec-fetch-site': 'same-origin' },
      },
    },
  }
}

async function makeBridge(network: TestNetwork): Promise<World['bridge']> {
  const input = { id: ATTACKER, name: 'Bridge that means no good', url: 'http://127.0.0.1:9', roles: ['hip', 'hiu'] }
  const { body } = await network.operator('sbx', '/v1/bridges', input)
  const clientId = textAt(body, 'clientId')
  const clientSecret = textAt(body, 'clientSecret')
  const login = { clientId, clientSecret, grantType: 'client_credentials' }
  const answer = await callJson(`${network.exchange.url}/api/hiecm/gateway/v3/sessions`, abdmHeaders(), login)
  return { clientId, clientSecret, session: textAt(answer.body, 'accessToken') }
}

async function callbackToken(network: TestNetwork): Promise<string> {
  const { signing } = await openKeys(network.keysFolder('sbx'))
  return new SignJWT({ sub: HOSPITAL })
    .setProtectedHeader({ alg: 'RS256', kid: signing.kid, typ: 'JWT' })
    .setIssuer('sbx')
    .setAudience('account')
    .setIssuedAt()
    .setExpirationTime('30m')
    .sign(signing.privateKey)
}

export function abdmHeaders(): Readonly<Record<string, string>> {
  return {
    'content-type': 'application/json',
    'REQUEST-ID': randomUUID(),
    TIMESTAMP: new Date().toISOString(),
    'X-CM-ID': 'sbx',
  }
}
