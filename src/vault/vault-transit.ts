import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { KeysAway } from '../crypto/envelope.ts'
import type { Outbound } from '../http/outbound.ts'
import { refuse } from '../kernel/refusal.ts'
import type { KeyProvider } from './key-provider.ts'
import { askedRarely, callKeyService, type ServiceAnswer } from './key-service.ts'

type Settings = {
  readonly url: string
  readonly mount: string
  readonly key: string
  readonly token?: string | undefined
  readonly tokenFile?: string | undefined
}

/** Bound to each ciphertext: what another program wrapped with the same key does not open here, nor ours there. */
const ASSOCIATED_DATA = Buffer.from('amanat/data-key').toString('base64')

const encrypted = z.object({ data: z.object({ ciphertext: z.string().regex(/^vault:v\d+:[A-Za-z0-9+/=]+$/) }) })
const decrypted = z.object({ data: z.object({ plaintext: z.base64() }) })
const described = z.object({ data: z.object({ latest_version: z.number().int().min(1) }) })

/**
 * HashiCorp Vault or OpenBao, transit engine, a key of type aes256-gcm96. Wrapping anew is decrypting and encrypting: the service's own
 * `rewrap` knows no associated data (hashicorp/vault#29532). What it sees and what passes here opens nothing without its share.
 */
export function makeVaultProvider(needs: {
  readonly settings: Settings
  readonly outbound: Pick<Outbound, 'call'>
  readonly nowMs: () => number
}): KeyProvider {
  const { url, mount, key } = needs.settings
  const name = `vault-${mount}/${key}:v`
  const ask = (method: 'GET' | 'POST', path: string, body?: object): Promise<ServiceAnswer> =>
    callKeyService(needs.outbound, {
      method,
      url: `${url}/v1/${mount}/${path}`,
      headers: {
        'x-vault-token': readToken(needs.settings),
        'x-vault-request': 'true',
        'content-type': 'application/json',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  const current = askedRarely(async () => {
    const { data } = expect(described, await ask('GET', `keys/${key}`))
    return `${name}${data.latest_version}`
  }, needs.nowMs)
  return {
    kind: 'vault',
    owns: (wrapId) => wrapId?.startsWith(name) === true,
    current: current.get,
    wrap: async (secret) => {
      const plaintext = Buffer.from(secret).toString('base64')
      const answer = await ask('POST', `encrypt/${key}`, { plaintext, associated_data: ASSOCIATED_DATA })
      const { ciphertext } = expect(encrypted, answer).data
      return { wrapId: `${name}${ciphertext.split(':')[1]?.slice(1)}`, ciphertext: Buffer.from(ciphertext) }
    },
    unwrap: async (wrapId, ciphertext) => {
      const sent = { ciphertext: Buffer.from(ciphertext).toString('utf8'), associated_data: ASSOCIATED_DATA }
      const answer = await ask('POST', `decrypt/${key}`, sent)
      if (answer.status === 400)
        throw new Error(`a data key does not unwrap with ${wrapId}: it was changed, or the version is gone`)
      return new Uint8Array(Buffer.from(expect(decrypted, answer).data.plaintext, 'base64'))
    },
    rotate: async () => {
      const answer = await ask('POST', `keys/${key}/rotate`, {})
      if (answer.status !== 200 && answer.status !== 204) throw refused(answer)
      current.forget()
      return current.get()
    },
    destroyVersion: async () =>
      refuse(
        'keys/rotated-elsewhere',
        `Raise min_decryption_version of ${mount}/keys/${key} and trim it, with the tools of your Vault.`,
      ),
  }
}

function readToken({ token, tokenFile }: Settings): string {
  try {
    return token ?? readFileSync(tokenFile ?? '', 'utf8').trim()
  } catch {
    throw new KeysAway(`the file with the token of the Vault, ${tokenFile}, cannot be read`)
  }
}

function expect<T>(schema: z.ZodType<T>, answer: ServiceAnswer): T {
  if (answer.status !== 200) throw refused(answer)
  const parsed = schema.safeParse(answer.body)
  if (!parsed.success) throw new KeysAway('the Vault answered in a form that is not of the transit engine')
  return parsed.data
}

const errors = z.object({ errors: z.array(z.string()) })

function refused({ status, body }: ServiceAnswer): KeysAway {
  const said = errors.safeParse(body)
  return new KeysAway(`the Vault answered ${status}${said.success ? `: ${said.data.errors.join('; ')}` : ''}`)
}
