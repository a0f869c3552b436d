import { z } from 'zod'
import { toldName } from '../http/shown-words.ts'
import { LIMITS } from '../kernel/limits.ts'
import { facilityId } from './wire.ts'

/** Messages of sessions, keys and the registry (protocol sheet 1.5 to 1.7). */

export const sessionRequest = z
  .object({
    clientId: z.string().min(1).max(100),
    clientSecret: z.string().min(1).max(500).nullish(),
    grantType: z
      .enum(['client_credentials', 'refresh_token'], 'must be client_credentials or refresh_token')
      .default('client_credentials'),
    refreshToken: z.string().min(1).max(2_000).nullish(),
  })
  .refine((body) => body.grantType === 'refresh_token' || typeof body.clientSecret === 'string', {
    message: 'is needed',
    path: ['clientSecret'],
  })
  .refine((body) => body.grantType !== 'refresh_token' || typeof body.refreshToken === 'string', {
    message: 'is needed',
    path: ['refreshToken'],
  })
  .meta({ id: 'SessionRequest' })

/** `expiresIn` and `refreshExpiresIn` are seconds. */
export const sessionAnswer = z
  .object({
    accessToken: z.string().min(1),
    expiresIn: z.number().positive(),
    refreshToken: z.string().nullish(),
    refreshExpiresIn: z.number().nullish(),
    tokenType: z.string().nullish(),
  })
  .meta({ id: 'SessionAnswer' })

/** JWKS; unknown members of a key are kept, a verifier needs them. */
export const keySet = z
  .object({ keys: z.array(z.looseObject({ kid: z.string(), kty: z.string() })).min(1) })
  .meta({ id: 'KeySet' })
export const openidConfiguration = z.object({ jwks_uri: z.string() }).meta({ id: 'OpenidConfiguration' })

export const bridgeUrl = z.object({ url: z.string().min(1).max(500) }).meta({ id: 'BridgeUrl' })

const SERVICE_TYPES = ['HIP', 'HIU', 'HEALTH_LOCKER', 'PHR', 'HIP_AND_HIU'] as const
const serviceType = z.enum(SERVICE_TYPES, `must be one of ${SERVICE_TYPES.join(', ')}`)

/** One service: `type` may be one, a list, or the older `HIP_AND_HIU`; `types` is read as well. */
const bridgeService = z
  .object({
    id: facilityId,
    name: toldName(LIMITS.textCharsMax),
    type: z.union([serviceType, z.array(serviceType)]).nullish(),
    types: z.array(serviceType).nullish(),
    active: z.boolean().nullish(),
    // `facilityType` and `isGovtEntity` are the register's to say, not the bridge's: who calls itself a hospital could break the glass.
  })
  .transform((service, ctx) => {
    const named = [service.type ?? [], service.types ?? []].flat()
    if (named.length === 0) {
      ctx.addIssue({ code: 'custom', message: `must name at least one of ${SERVICE_TYPES.join(', ')}`, path: ['type'] })
      return z.NEVER
    }
    const types = [...new Set(named.flatMap((type) => (type === 'HIP_AND_HIU' ? (['HIP', 'HIU'] as const) : [type])))]
    return {
      id: service.id,
      name: service.name,
      types,
      active: service.active ?? true,
    }
  })

/** Add or update services of the calling bridge: one, a list, or `{services: […]}` (no source captured the V3 body). */
export const bridgeServices = z
  .preprocess((body) => {
    if (Array.isArray(body)) return body
    return typeof body === 'object' && body !== null && 'services' in body ? body.services : [body]
  }, z.array(bridgeService).min(1).max(LIMITS.pageSizeMax))
  .meta({ id: 'BridgeServices' })

export const providersQuery = z.object({ name: z.string().max(LIMITS.textCharsMax).optional() })
