import { z } from 'zod'
import { parseForm } from '../http/form.ts'
import { type Answer, type Route, route } from '../http/route.ts'
import type { Authenticate } from '../http/server.ts'
import type { ProblemCode } from '../kernel/problems.ts'
import { PROBLEMS } from '../kernel/problems.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { KEYS_PATH } from '../partners/client-commands.ts'
import { PARTNER_ALGS } from '../partners/key-set.ts'
import { PARTNER_SCOPES } from '../partners/scope.ts'
import {
  ASSERTION_TYPE,
  fetchKeysFor,
  issueToken,
  partnerOfToken,
  TOKEN_PATH,
  type TokenNeeds,
} from '../partners/token-commands.ts'

export type PartnerDoorNeeds = TokenNeeds & { readonly publicKeys: readonly object[] }

/** Who calls with a partner's token; for {@link Route}s with `auth: 'partner'`. */
export function partnerCheck(needs: Omit<TokenNeeds, 'publishedKeys'>): Authenticate {
  return (tx, headers, asked) =>
    partnerOfToken(tx, needs, {
      authorization: headers['authorization'],
      dpop: headers['dpop'],
      certificate: asked.certificate,
      method: asked.method,
      path: asked.calledPath ?? '',
    })
}

/** Where software of partners learns how to come in, and gets its tokens: SMART Backend Services, RFC 8414, RFC 6749 §4.4. */
export function partnerDoorRoutes(needs: PartnerDoorNeeds): readonly Route[] {
  return [...metadataRoutes(needs), tokenRoute(needs)]
}

const open = { dialect: 'native', auth: 'none', once: false } as const

function metadataRoutes(needs: PartnerDoorNeeds): readonly Route[] {
  return [
    route({
      ...open,
      method: 'GET',
      path: '/.well-known/smart-configuration',
      summary: 'How software of partners gets tokens here (SMART App Launch 2.2, Backend Services)',
      answers: { 200: { description: 'SMART configuration' } },
      handle: async () => ({
        status: 200,
        body: { ...metadata(needs), capabilities: ['client-confidential-asymmetric', 'permission-v2'] },
      }),
    }),
    route({
      ...open,
      method: 'GET',
      path: '/.well-known/oauth-authorization-server',
      summary: 'The same as authorization server metadata (RFC 8414)',
      answers: { 200: { description: 'Metadata' } },
      handle: async () => ({ status: 200, body: metadata(needs) }),
    }),
    route({
      ...open,
      method: 'GET',
      path: KEYS_PATH,
      summary: 'Public keys with which this party signs: tokens, and its own assertions as a client of others',
      answers: { 200: { description: 'JWK set (RFC 7517)' } },
      handle: async () => ({ status: 200, body: { keys: needs.publicKeys } }),
    }),
  ]
}

function metadata({ publicUrl }: PartnerDoorNeeds): object {
  return {
    issuer: publicUrl,
    jwks_uri: `${publicUrl}${KEYS_PATH}`,
    token_endpoint: `${publicUrl}${TOKEN_PATH}`,
    grant_types_supported: ['client_credentials'],
    response_types_supported: [],
    scopes_supported: Object.keys(PARTNER_SCOPES),
    token_endpoint_auth_methods_supported: ['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'],
    token_endpoint_auth_signing_alg_values_supported: PARTNER_ALGS,
    dpop_signing_alg_values_supported: PARTNER_ALGS,
    tls_client_certificate_bound_access_tokens: true,
  }
}

const tokenForm = z.object({
  grant_type: z.literal('client_credentials'),
  scope: z.string(),
  client_assertion_type: z.literal(ASSERTION_TYPE).optional(),
  client_assertion: z.string().optional(),
  client_id: z.string().optional(),
})

function tokenRoute(needs: PartnerDoorNeeds): Route {
  return route({
    ...open,
    method: 'POST',
    path: TOKEN_PATH,
    summary: 'A token for software of a partner, bound to its DPoP key or certificate; refusals are those of RFC 6749',
    form: tokenForm,
    answers: {
      200: { description: 'A token of at most five minutes' },
      400: { description: 'invalid_request, invalid_scope, unsupported_grant_type, invalid_dpop_proof' },
      401: { description: 'invalid_client' },
      503: { description: 'The published keys of the client cannot be fetched at present' },
    },
    prepare: async (machine, { raw }) => {
      const fields = parseForm(raw, 'application/x-www-form-urlencoded')
      const assertion = isRefusal(fields) ? undefined : fields.get('client_assertion')
      if (assertion !== undefined) await fetchKeysFor(machine, needs, assertion)
    },
    handle: async ({ tx, raw, headers, asked }) => {
      const fields = readTokenForm(raw, headers)
      if (isRefusal(fields)) return oauthAnswer(fields)
      const issued = await issueToken(tx, needs, {
        grantType: fields.get('grant_type'),
        scope: fields.get('scope'),
        clientId: fields.get('client_id'),
        assertion: fields.get('client_assertion'),
        dpop: headers['dpop'],
        certificate: asked.certificate,
      })
      if (isRefusal(issued)) return oauthAnswer(issued)
      const { token, type, lifeS, scope } = issued
      return {
        status: 200,
        headers: { pragma: 'no-cache' },
        body: { access_token: token, token_type: type, expires_in: lifeS, scope },
      }
    },
  })
}

/** One way to prove oneself (RFC 6749 §2.3): no secret, neither in the form nor as a header. */
function readTokenForm(
  raw: Uint8Array,
  headers: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<string, string> | Refusal {
  const fields = parseForm(raw, headers['content-type'])
  if (isRefusal(fields)) return fields
  if (headers['authorization'] !== undefined || fields.has('client_secret'))
    return refuse('request/malformed', 'Secrets are not taken here: send a client_assertion or your certificate.')
  const isTyped = fields.get('client_assertion_type') === ASSERTION_TYPE
  return fields.has('client_assertion') === isTyped && (isTyped || !fields.has('client_assertion_type'))
    ? fields
    : refuse('request/invalid-field', `client_assertion_type must be ${ASSERTION_TYPE}.`, 'client_assertion_type')
}

const OAUTH_ERRORS: Partial<Readonly<Record<ProblemCode, string>>> = {
  'auth/client-unproved': 'invalid_client',
  'auth/unsupported-grant': 'unsupported_grant_type',
  'auth/invalid-scope': 'invalid_scope',
  'auth/invalid-dpop-proof': 'invalid_dpop_proof',
  'machine/unavailable': 'temporarily_unavailable',
}

/** RFC 6749 §5.2: only a client that did not prove itself hears 401. */
function oauthAnswer({ code, detail }: Refusal): Answer {
  const { status } = PROBLEMS[code]
  const keepsStatus = code === 'auth/client-unproved' || status >= 500
  return {
    status: keepsStatus ? status : 400,
    headers: { pragma: 'no-cache' },
    // RFC 6749 §5.2: error_description has printable ASCII without quotes.
    body: {
      error: OAUTH_ERRORS[code] ?? 'invalid_request',
      error_description: detail.replace(/[^\x20-\x7e]|["\\]/g, '?'),
    },
  }
}
