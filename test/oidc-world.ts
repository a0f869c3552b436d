import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeJwt, importJWK, type JWK, SignJWT } from 'jose'
import Provider, { type Ctx } from 'oidc-provider'

export type Account = {
  /** What the provider calls the person, for ever. */
  readonly sub: string
  readonly preferred_username?: string
  readonly email?: string
  readonly email_verified?: boolean
  /** By what the person proved who they are there. */
  readonly amr?: readonly string[]
}

const CLIENT = { clientId: 'tarangini-desk', clientSecret: 'a secret between the two of them' }

/** A real OpenID Connect provider on this machine, where whoever comes signs in as `person` at once. */
export class OidcWorld {
  readonly #server: Server
  readonly issuer: string
  #redirectUris: readonly string[]
  #provider: Provider | undefined
  #key: JWK & { readonly kid: string } = makeKey()
  #answer: ((req: IncomingMessage, res: ServerResponse) => void) | undefined
  /** Who sits before the browser. */
  person: Account = { sub: 'nobody' }
  readonly #clientKey: JWK | undefined
  /** Whether the rest about a person stands in the ID token, or is told to who asks for it. */
  readonly #tellsAll: boolean
  /** Where it says that somebody signed out (OIDC Back-Channel Logout). */
  readonly #logoutUri: string | undefined

  private constructor(server: Server, issuer: string, options: Options) {
    this.#server = server
    this.issuer = issuer
    this.#redirectUris = options.redirectUris
    this.#clientKey = options.clientKey
    this.#tellsAll = options.tellsAll ?? true
    this.#logoutUri = options.logoutUri
    if (options.redirectUris.length > 0) this.rotate()
  }

  static async start(options: Options): Promise<OidcWorld> {
    const server = createServer((req, res) => void world.#serve(req, res))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const world = new OidcWorld(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`, options)
    return world
  }

  get settings() {
    return { name: 'Tarangini login', issuer: this.issuer, ...CLIENT }
  }

  /** Sends browsers back to these addresses, and no others. */
  sendBackTo(redirectUris: readonly string[]): void {
    this.#redirectUris = redirectUris
    this.rotate()
  }

  /** New keys; the old ones are gone. */
  rotate(): void {
    this.#key = makeKey()
    this.#provider = new Provider(this.issuer, {
      jwks: { keys: [this.#key] },
      clients: [
        {
          client_id: CLIENT.clientId,
          redirect_uris: [...this.#redirectUris],
          ...(this.#logoutUri === undefined
            ? {}
            : { backchannel_logout_uri: this.#logoutUri, backchannel_logout_session_required: true }),
          ...(this.#clientKey === undefined
            ? { client_secret: CLIENT.clientSecret, token_endpoint_auth_method: 'client_secret_basic' }
            : {
                jwks: { keys: [this.#clientKey] },
                token_endpoint_auth_method: 'private_key_jwt',
                token_endpoint_auth_signing_alg: this.#clientKey.alg,
              }),
        },
      ],
      claims: {
        openid: ['sub', 'amr'],
        profile: ['preferred_username'],
        email: ['email', 'email_verified'],
      },
      enabledJWA: { clientAuthSigningAlgValues: ['RS256', 'ES256', 'EdDSA', 'Ed25519'] },
      conformIdTokenClaims: !this.#tellsAll,
      cookies: { keys: [randomBytes(16).toString('hex')] },
      ttl: { Interaction: 600, Grant: 600, Session: 600, AccessToken: 600, IdToken: 600 },
      features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: this.#logoutUri !== undefined } },
      // It calls nobody on its own machine; here everybody is.
      fetch: (url: string, { method, headers, body, redirect }: RequestInit) =>
        fetch(url, { method, headers, body, redirect } as RequestInit),
      interactions: { url: () => '/who' },
      findAccount: async (_ctx: unknown, sub: string) => ({
        accountId: sub,
        claims: async () => ({ ...this.person, sub }),
      }),
      loadExistingGrant: (ctx: Ctx) => this.#grant(ctx),
    })
    this.#answer = this.#provider.callback()
  }

  async #grant({ oidc }: Ctx) {
    if (this.#provider === undefined) throw new Error('no provider')
    const grant = new this.#provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId })
    grant.addOIDCScope('openid profile email')
    await grant.save()
    return grant
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (req.url !== '/who') return this.#answer?.(req, res)
    const login = { accountId: this.person.sub, ...(this.person.amr === undefined ? {} : { amr: this.person.amr }) }
    await this.#provider?.interactionFinished(req, res, { login })
  }

  /** The ID token with other claims, under the provider's own key: only what it says is wrong. */
  async resign(idToken: string, change: (claims: Record<string, unknown>) => Record<string, unknown>): Promise<string> {
    return new SignJWT(change(decodeJwt(idToken)))
      .setProtectedHeader({ alg: 'RS256', kid: this.#key.kid })
      .sign(await importJWK(this.#key, 'RS256'))
  }

  /** Says to our client that the person signed out there; fails when it is not taken. */
  async signOut(sub: string, sid: string): Promise<void> {
    const client = await this.#provider?.Client.find(CLIENT.clientId)
    if (client === undefined) throw new Error('no client')
    await client.backchannelLogout(sub, sid)
  }

  /** A token with these claims, under the provider's own key: only what it says, or its type, is wrong. */
  async sign(claims: Record<string, unknown>, typ = 'logout+jwt'): Promise<string> {
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'RS256', kid: this.#key.kid, typ })
      .sign(await importJWK(this.#key, 'RS256'))
  }

  /** What a browser does: follows the provider from `url` until it is sent back; answers the query it is sent back with. */
  async browse(url: string): Promise<string> {
    const jar = new Map<string, string>()
    for (let hops = 0, at = url; hops < 10; hops++) {
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
      const answer = await fetch(at, { redirect: 'manual', headers: { cookie } })
      for (const line of answer.headers.getSetCookie()) {
        const [name = '', value = ''] = line.split(';')[0]?.split('=') ?? []
        jar.set(name, value)
      }
      const next = answer.headers.get('location')
      if (next === null) throw new Error(`the provider answers ${answer.status}: ${await answer.text()}`)
      const to = new URL(next, at)
      if (to.origin !== this.issuer) return to.search.slice(1)
      at = to.href
    }
    throw new Error('the provider sends the browser round and round')
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}

type Options = {
  readonly redirectUris: readonly string[]
  readonly tellsAll?: boolean
  readonly logoutUri?: string
  /** Public key by which our client proves itself, in place of a secret (private_key_jwt). */
  readonly clientKey?: JWK
}

function makeKey(): JWK & { readonly kid: string } {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { ...privateKey.export({ format: 'jwk' }), kid: randomBytes(8).toString('hex'), alg: 'RS256', use: 'sig' }
}
