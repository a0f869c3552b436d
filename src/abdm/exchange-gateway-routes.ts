import type { SigningKey } from '../crypto/signature.ts'
import { type Answer, type Call, type Route, route } from '../http/route.ts'
import { parseFacilityId } from '../kernel/id.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { type Facility, isHip, type Role } from '../partners/bridge.ts'
import {
  bridgeById,
  facilitiesOfBridge,
  facilityById,
  listFacilities,
  type ServiceInput,
  saveServices,
  updateBridgeUrl,
} from '../partners/commands.ts'
import { makeLoginLimit } from '../partners/login-limit.ts'
import { issueSession, refreshSession, type Session } from '../partners/session-commands.ts'
import {
  bridgeServices,
  bridgeUrl,
  keySet,
  openidConfiguration,
  providersQuery,
  sessionAnswer,
  sessionRequest,
} from './gateway-messages.ts'

type GatewayNeeds = {
  readonly exchange: { readonly id: string; readonly name: string }
  readonly signingKey: SigningKey
  readonly publicUrl: string
  /** Where everybody is invented: what a bridge names takes part before anybody has confirmed it. */
  readonly sandbox: boolean
}

const BASE = '/api/hiecm/gateway/v3'
const WIRE_ROLE: Readonly<Record<Role, string>> = {
  hip: 'HIP',
  hiu: 'HIU',
  'health-locker': 'HEALTH_LOCKER',
  phr: 'PHR',
}
const ROLE_OF = { HIP: 'hip', HIU: 'hiu', HEALTH_LOCKER: 'health-locker', PHR: 'phr' } as const

/** Sessions, keys, bridges and the registry of facilities (protocol sheet 1.5 to 1.7). */
export function exchangeGatewayRoutes(needs: GatewayNeeds): readonly Route[] {
  return [...sessionRoutes(needs), ...bridgeRoutes(needs), ...bridgeReadRoutes(), ...registryRoutes()]
}

function sessionRoutes(needs: GatewayNeeds): readonly Route[] {
  const open = { dialect: 'abdm', auth: 'none', once: false } as const
  const limit = makeLoginLimit()
  return [
    route({
      ...open,
      method: 'POST',
      path: `${BASE}/sessions`,
      summary: 'Log a bridge in, or renew its session.',
      body: sessionRequest,
      answers: { 200: { description: 'A session.', schema: sessionAnswer } },
      handle: async ({ tx, body }) => {
        const { clientId, clientSecret, refreshToken } = body
        const login =
          typeof clientSecret === 'string'
            ? { clientId, secret: clientSecret }
            : { clientId: `refresh ${clientId}`, secret: refreshToken ?? '' }
        const tooMany = limit.begin(login, tx.now)
        if (tooMany !== undefined) return tooMany
        const session =
          body.grantType === 'refresh_token'
            ? await refreshSession(tx, needs, {
                clientId,
                refreshToken: refreshToken ?? '',
                ...(typeof clientSecret === 'string' ? { clientSecret } : {}),
              })
            : await issueSession(tx, needs, { clientId, clientSecret: clientSecret ?? '' })
        if (isRefusal(session)) return session
        limit.succeed(login)
        return { status: 200, body: wireSession(session) }
      },
    }),
    route({
      ...open,
      method: 'GET',
      path: `${BASE}/certs`,
      summary: 'Public keys of the exchange; the RS256 key that signs callbacks comes first.',
      answers: { 200: { description: 'JWKS (RFC 7517).', schema: keySet } },
      handle: async () => ({
        status: 200,
        body: { keys: [needs.signingKey.publicJwk, ...(needs.signingKey.older ?? [])] },
      }),
    }),
    route({
      ...open,
      method: 'GET',
      path: `${BASE}/.well-known/openid-configuration`,
      summary: 'Where the public keys are.',
      answers: { 200: { description: 'OpenID configuration.', schema: openidConfiguration } },
      handle: async () => ({
        status: 200,
        body: {
          issuer: needs.publicUrl,
          jwks_uri: `${needs.publicUrl}${BASE}/certs`,
          token_endpoint: `${needs.publicUrl}${BASE}/sessions`,
          id_token_signing_alg_values_supported: ['RS256'],
        },
      }),
    }),
  ]
}

function wireSession(session: Session): object {
  return {
    accessToken: session.accessToken,
    expiresIn: session.expiresInS,
    refreshExpiresIn: session.refreshExpiresInS,
    refreshToken: session.refreshToken,
    tokenType: 'bearer',
  }
}

function bridgeRoutes({ sandbox }: GatewayNeeds): readonly Route[] {
  return [
    route({
      dialect: 'abdm',
      auth: 'bridge',
      method: 'PATCH',
      path: `${BASE}/bridge/url`,
      summary: 'Change where the calling bridge is called back.',
      once: true,
      body: bridgeUrl,
      answers: { 202: { description: 'Changed.' } },
      handle: async (call) => {
        const clientId = clientOf(call)
        if (isRefusal(clientId)) return clientId
        const changed = await updateBridgeUrl(call.tx, {
          clientId,
          url: call.body.url,
          actor: { kind: 'system', id: clientId },
        })
        return isRefusal(changed) ? changed : { status: 202 }
      },
    }),
    route({
      dialect: 'abdm',
      auth: 'bridge',
      method: 'PUT',
      path: `${BASE}/bridge-service`,
      summary:
        'Add services to the calling bridge, or change its own. One that nobody has confirmed takes no part, but in a sandbox.',
      once: true,
      body: bridgeServices,
      answers: { 202: { description: 'All services of the bridge.' } },
      handle: async (call) => {
        const clientId = clientOf(call)
        if (isRefusal(clientId)) return clientId
        const services: ServiceInput[] = []
        for (const { id, name, types, active } of call.body) {
          // Patients decide by the name: one that is registered is the operator's to change.
          const known = await facilityById(call.tx, id)
          const roles = types.map((type) => ROLE_OF[type])
          services.push({ id, name: known?.name ?? name, roles, isActive: active })
        }
        const saved = await saveServices(call.tx, {
          clientId,
          services,
          actor: { kind: 'system', id: clientId },
          ownWord: sandbox ? 'trial' : 'unconfirmed',
        })
        return isRefusal(saved) ? saved : { status: 202, body: saved.map(wireService) }
      },
    }),
  ]
}

function bridgeReadRoutes(): readonly Route[] {
  const bridgeRead = { method: 'GET', dialect: 'abdm', auth: 'bridge', once: false } as const
  return [
    route({
      ...bridgeRead,
      path: `${BASE}/bridge-services`,
      summary: 'The calling bridge and its services.',
      answers: { 200: { description: 'Bridge and services.' } },
      handle: async (call) => {
        const clientId = clientOf(call)
        if (isRefusal(clientId)) return clientId
        const own = await bridgeById(call.tx, clientId)
        if (own === undefined) return refuse('partners/unknown-bridge')
        const services = await facilitiesOfBridge(call.tx, clientId)
        return {
          status: 200,
          body: {
            bridge: { id: own.clientId, name: own.name, url: own.url, active: own.status === 'active' },
            services: services.map(wireService),
          },
        }
      },
    }),
    route({
      ...bridgeRead,
      path: `${BASE}/bridge-service/serviceId/:serviceId`,
      summary: 'One service, of any bridge.',
      answers: { 200: { description: 'The service.' } },
      handle: async (call) => oneFacility(call, 'serviceId', () => true, wireService),
    }),
  ]
}

function registryRoutes(): readonly Route[] {
  const open = { method: 'GET', dialect: 'abdm', auth: 'none', once: false } as const
  return [
    route({
      ...open,
      path: `${BASE}/providers`,
      summary: 'Providers of records, by part of the name.',
      query: providersQuery,
      answers: { 200: { description: 'Providers.' } },
      handle: async ({ tx, query }) =>
        found(await listFacilities(tx, { roles: ['hip'], ...(query.name === undefined ? {} : { name: query.name }) })),
    }),
    route({
      ...open,
      path: `${BASE}/providers/:id`,
      summary: 'One provider of records.',
      answers: { 200: { description: 'The provider.' } },
      handle: async (call) => oneFacility(call, 'id', isHip, wireProvider),
    }),
    route({
      ...open,
      path: `${BASE}/govt-programs`,
      summary: 'Government programmes that provide records.',
      answers: { 200: { description: 'Programmes.' } },
      handle: async ({ tx }) => found(await listFacilities(tx, { roles: ['hip'], isGovernment: true })),
    }),
    route({
      ...open,
      path: `${BASE}/health-lockers`,
      summary: 'Health lockers.',
      answers: { 200: { description: 'Lockers.' } },
      handle: async ({ tx }) => found(await listFacilities(tx, { roles: ['health-locker'] })),
    }),
  ]
}

const found = (facilities: readonly Facility[]): Answer => ({ status: 200, body: facilities.map(wireProvider) })

async function oneFacility(
  call: Pick<Call<undefined, undefined>, 'tx' | 'params'>,
  param: string,
  isShown: (facility: Facility) => boolean,
  show: (facility: Facility) => object,
): Promise<Answer | Refusal> {
  const id = parseFacilityId(call.params[param] ?? '')
  const facility = id === undefined ? undefined : await facilityById(call.tx, id)
  return facility === undefined || !isShown(facility)
    ? refuse('partners/unknown-facility')
    : { status: 200, body: show(facility) }
}

function clientOf(call: Pick<Call<never, never>, 'caller'>): string | Refusal {
  return call.caller.kind === 'bridge' ? call.caller.clientId : refuse('auth/forbidden')
}

function wireService(facility: Facility): object {
  return {
    id: facility.id,
    name: facility.name,
    types: facility.roles.map((role) => WIRE_ROLE[role]),
    active: facility.status === 'active',
    // Ours, beside ABDM's members: why a service that was named as active is not.
    ...(facility.standing === 'confirmed' ? {} : { standing: facility.standing }),
  }
}

/** As the one known PHR web client reads it: `identifier`, `facilityType[]`, `isGovtEntity` (protocol sheet 1.7). */
function wireProvider(facility: Facility): object {
  return {
    identifier: { id: facility.id, name: facility.name },
    facilityType: [...facility.roles.map((role) => WIRE_ROLE[role]), ...facility.facilityTypes],
    isHIP: isHip(facility),
    isGovtEntity: facility.isGovernment,
  }
}
