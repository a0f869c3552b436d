import { z } from 'zod'
import { type Route, route } from '../http/route.ts'
import { shownName } from '../http/shown-words.ts'
import { operatorOf } from '../kernel/caller.ts'
import { parseFacilityId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal } from '../kernel/refusal.ts'
import type { Client, ClientKeys } from '../partners/client.ts'
import { changeClientKeys, listClients, registerClient, setClientStatus } from '../partners/client-commands.ts'
import { isScope } from '../partners/scope.ts'

const facility = z.string().transform((value, ctx) => {
  const id = parseFacilityId(value)
  if (id === undefined) ctx.addIssue({ code: 'custom', message: 'must be a facility id' })
  return id as NonNullable<typeof id>
})
const thumbprint = z.string().regex(/^[\w-]{43}$/, 'must be the SHA-256 of a certificate (DER) in base64url')
const hostName = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i, 'must be a host name')

/** How a client proves itself: at most one of `jwks` and `jwksUri`, and certificates in their place or beside them. */
const proof = z.object({
  jwks: z
    .object({ keys: z.array(z.record(z.string(), z.unknown())).max(LIMITS.partnerKeysMax) })
    .strict()
    .optional(),
  jwksUri: z.string().min(1).max(2_000).optional(),
  certificates: z.array(thumbprint).max(LIMITS.partnerKeysMax).default([]),
  certificateHost: hostName.optional(),
})
const oneKeySource = { path: ['jwksUri'], message: 'must not be there beside jwks' }
const hasOneKeySource = ({ jwks, jwksUri }: z.output<typeof proof>): boolean =>
  jwks === undefined || jwksUri === undefined

const clientKeys = proof.strict().refine(hasOneKeySource, oneKeySource).meta({ id: 'PartnerKeys' })
const clientAdmission = proof
  .extend({
    clientId: z
      .string()
      .regex(/^[\w.@-]{3,100}$/, 'must have 3 to 100 letters, digits, or any of _ . @ -')
      .optional(),
    name: shownName(LIMITS.textCharsMax),
    /** Whom it speaks for: it sees what concerns them. */
    facilities: z.array(facility).min(1).max(LIMITS.partnerFacilitiesMax),
    scopes: z
      .array(z.string().refine(isScope, 'must be a scope such as system/Consent.rs'))
      .min(1)
      .max(LIMITS.scopesMax),
    /** For software that knows neither DPoP nor certificates: its tokens are good for whoever holds them. */
    bearerAllowed: z.boolean().default(false),
  })
  .strict()
  .refine(hasOneKeySource, oneKeySource)
  .meta({ id: 'PartnerAdmission' })

const clientsQuery = z.object({
  after: z.string().max(LIMITS.textCharsMax).optional(),
  limit: z.coerce.number().int().min(1).max(LIMITS.pageSizeMax).default(LIMITS.pageSizeMax),
})

const operator = { dialect: 'native', auth: 'operator', once: false } as const
const noClient = { 404: { description: 'No such client' } } as const

/** What operators do about software of partners: admit it, change its keys, shut it out. */
export function partnerOperatorRoutes(): readonly Route[] {
  return [...admissionRoutes(), keysRoute(), statusRoute('suspend', 'suspended'), statusRoute('resume', 'active')]
}

function admissionRoutes(): readonly Route[] {
  return [
    route({
      ...operator,
      method: 'POST',
      path: '/v1/partners',
      grave: true,
      summary:
        'Admits software of a partner, with its public keys or certificates, the facilities it speaks for, and scopes',
      body: clientAdmission,
      answers: {
        201: { description: 'Admitted' },
        400: { description: 'The keys cannot be used' },
        409: { description: 'The client id is taken' },
      },
      handle: async ({ tx, body, caller }) => {
        const { clientId, name, facilities, scopes, bearerAllowed } = body
        const client = await registerClient(tx, {
          ...(clientId === undefined ? {} : { clientId }),
          name,
          facilities,
          scopes,
          bearerAllowed,
          ...provenBy(body),
          actor: operatorOf(caller),
        })
        return isRefusal(client) ? client : { status: 201, body: shown(client) }
      },
    }),
    route({
      ...operator,
      method: 'GET',
      path: '/v1/partners',
      summary:
        'Software of partners by client id, a page at a time, with its standing; bridges that publish keys are not listed here',
      query: clientsQuery,
      answers: { 200: { description: 'Clients; with `next`, ask again with it as `after`' } },
      handle: async ({ tx, query }) => {
        const { clients, ...more } = await listClients(tx, query)
        return { status: 200, body: { partners: clients.map(shown), ...more } }
      },
    }),
  ]
}

function keysRoute(): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/v1/partners/:client/keys',
    grave: true,
    summary: 'Other keys or certificates for a client, in place of those it had; its tokens are void',
    body: clientKeys,
    answers: { 200: { description: 'Changed' }, 400: { description: 'The keys cannot be used' }, ...noClient },
    handle: async ({ tx, body, params, caller }) => {
      const changed = await changeClientKeys(tx, {
        clientId: params['client'] ?? '',
        ...provenBy(body),
        actor: operatorOf(caller),
      })
      return isRefusal(changed) ? changed : { status: 200 }
    },
  })
}

function statusRoute(verb: 'suspend' | 'resume', status: Client['status']): Route {
  return route({
    ...operator,
    method: 'POST',
    path: `/v1/partners/:client/${verb}`,
    grave: true,
    summary: verb === 'suspend' ? 'Shuts a client out: its tokens are void at once' : 'Lets a client in again',
    answers: { 200: { description: 'Done' }, ...noClient },
    handle: async ({ tx, params, caller }) => {
      const done = await setClientStatus(tx, { clientId: params['client'] ?? '', status, actor: operatorOf(caller) })
      return isRefusal(done) ? done : { status: 200 }
    },
  })
}

function provenBy({ jwks, jwksUri, certificates, certificateHost }: z.output<typeof proof>): {
  readonly keys?: ClientKeys
  readonly certificates: Client['certificates']
} {
  const keys: ClientKeys | undefined =
    jwks !== undefined
      ? { kind: 'inline', jwks }
      : jwksUri === undefined
        ? undefined
        : { kind: 'published', address: jwksUri }
  return {
    ...(keys === undefined ? {} : { keys }),
    certificates: { thumbprints: certificates, ...(certificateHost === undefined ? {} : { host: certificateHost }) },
  }
}

function shown({ keys, certificates, tokensFrom: _tokensFrom, ...client }: Client): object {
  return {
    ...client,
    ...(keys === undefined ? {} : keys.kind === 'published' ? { jwksUri: keys.address } : { jwks: keys.jwks }),
    certificates: certificates.thumbprints,
    ...(certificates.host === undefined ? {} : { certificateHost: certificates.host }),
  }
}
