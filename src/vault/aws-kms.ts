import { z } from 'zod'
import { KeysAway } from '../crypto/envelope.ts'
import type { Outbound } from '../http/outbound.ts'
import { refuse } from '../kernel/refusal.ts'
import { type AwsCredentials, signForAws } from './aws-signature.ts'
import type { KeyProvider } from './key-provider.ts'
import { askedRarely, callKeyService, type ServiceAnswer } from './key-service.ts'

type Settings = AwsCredentials & {
  readonly region: string
  readonly keyId: string
  readonly endpoint?: string | undefined
}

/** Bound to each ciphertext, and shown in the trail of the key. */
const CONTEXT = { use: 'amanat/data-key' }

const wrapped = z.object({ CiphertextBlob: z.base64(), KeyId: z.string().min(1) })
const unwrapped = z.object({ Plaintext: z.base64() })
const described = z.object({ KeyMetadata: z.object({ Arn: z.string().min(1) }) })

/** These say that the bytes are wrong; everything else is a service that does not serve. */
const WRONG_BYTES = /InvalidCiphertextException|IncorrectKeyException/

/** AWS KMS, a symmetric key, over its JSON API. A version is a key: its ARN. An alias that moves to another key is a rotation. */
export function makeAwsKmsProvider(needs: {
  readonly settings: Settings
  readonly outbound: Pick<Outbound, 'call'>
  readonly now: () => Date
  readonly nowMs: () => number
}): KeyProvider {
  const { region, keyId, endpoint, ...credentials } = needs.settings
  const url = `${endpoint ?? `https://kms.${region}.amazonaws.com`}/`
  const ask = (action: string, sent: object): Promise<ServiceAnswer> => {
    const body = JSON.stringify(sent)
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${action}` }
    const scope = { region, service: 'kms', now: needs.now() }
    const signed = signForAws({ method: 'POST', url, headers, body }, scope, credentials)
    return callKeyService(needs.outbound, { method: 'POST', url, headers: signed, body })
  }
  const current = askedRarely(
    async () => `aws-${expect(described, await ask('DescribeKey', { KeyId: keyId })).KeyMetadata.Arn}`,
    needs.nowMs,
  )
  const named = (answer: ServiceAnswer) => {
    const { CiphertextBlob, KeyId } = expect(wrapped, answer)
    return { wrapId: `aws-${KeyId}`, ciphertext: Buffer.from(CiphertextBlob, 'base64') }
  }
  return {
    kind: 'awsKms',
    owns: (wrapId) => wrapId !== undefined && /^aws-arn:aws[a-z-]*:kms:([a-z0-9-]+):/.exec(wrapId)?.[1] === region,
    current: current.get,
    wrap: async (secret) =>
      named(
        await ask('Encrypt', {
          KeyId: keyId,
          Plaintext: Buffer.from(secret).toString('base64'),
          EncryptionContext: CONTEXT,
        }),
      ),
    unwrap: async (wrapId, ciphertext) => {
      const CiphertextBlob = Buffer.from(ciphertext).toString('base64')
      const sent = { CiphertextBlob, EncryptionContext: CONTEXT, KeyId: wrapId?.slice('aws-'.length) }
      return new Uint8Array(Buffer.from(expect(unwrapped, await ask('Decrypt', sent)).Plaintext, 'base64'))
    },
    rewrap: async (_wrapId, ciphertext) =>
      named(
        await ask('ReEncrypt', {
          CiphertextBlob: Buffer.from(ciphertext).toString('base64'),
          SourceEncryptionContext: CONTEXT,
          DestinationKeyId: keyId,
          DestinationEncryptionContext: CONTEXT,
        }),
      ),
    rotate: async () =>
      refuse(
        'keys/rotated-elsewhere',
        'Make a new key in AWS KMS and move the alias to it, or name it in keys.wrap.awsKms.keyId.',
      ),
    destroyVersion: async () =>
      refuse(
        'keys/rotated-elsewhere',
        'Schedule its deletion in AWS KMS, once "amanat keys status" shows no data keys for it.',
      ),
  }
}

const fault = z.object({ __type: z.string(), message: z.string().optional() })

function expect<T>(schema: z.ZodType<T>, { status, body }: ServiceAnswer): T {
  if (status !== 200) {
    const said = fault.safeParse(body)
    const words = said.success ? `${said.data.__type}: ${said.data.message ?? ''}` : ''
    if (WRONG_BYTES.test(words)) throw new Error(`a data key does not unwrap at AWS KMS (${words}): it was changed`)
    throw new KeysAway(`AWS KMS answered ${status} ${words}`)
  }
  const parsed = schema.safeParse(body)
  if (!parsed.success) throw new KeysAway('AWS KMS answered in a form that is not its own')
  return parsed.data
}
