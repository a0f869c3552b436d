import assert from 'node:assert/strict'
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type AwsCredentials, signForAws } from '../src/vault/aws-signature.ts'

/** How a key service of the tests misbehaves. `late`: it does what was asked and answers when nobody waits any more. */
export type ServiceFault = 'silent' | 'late' | 'garbage' | { readonly status: number; readonly body: unknown }

export type KeyServiceFake = {
  readonly url: string
  readonly asked: string[]
  breakBy: (fault: ServiceFault | undefined) => void
  stop: () => Promise<void>
}

type Asked = {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}
type Answered = { readonly status: number; readonly body?: unknown }

async function serve(answer: (asked: Asked) => Answered, name: (asked: Asked) => string): Promise<KeyServiceFake> {
  let fault: ServiceFault | undefined
  const asked: string[] = []
  const send = (response: ServerResponse, { status, body }: Answered): void => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(body === undefined ? undefined : JSON.stringify(body))
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request
      const call = { method, path, headers, body: Buffer.concat(chunks).toString('utf8') }
      asked.push(name(call))
      if (fault === 'silent') return
      if (fault === 'garbage') return void response.end('<html>Bad gateway')
      if (typeof fault === 'object') return send(response, fault)
      const answered = answer(call)
      if (fault !== 'late') send(response, answered)
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    breakBy: (by) => void (fault = by),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const seal = (key: Buffer, plaintext: Buffer, aad: Buffer): Buffer => {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad)
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

const open = (key: Buffer | undefined, blob: Buffer, aad: Buffer): Buffer | undefined => {
  if (key === undefined || blob.length < 28) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, blob.subarray(0, 12)).setAAD(aad).setAuthTag(blob.subarray(-16))
  try {
    return Buffer.concat([decipher.update(blob.subarray(12, -16)), decipher.final()])
  } catch {
    return undefined
  }
}

const bytes = (base64: string | undefined): Buffer => Buffer.from(base64 ?? '', 'base64')
const failed = (status: number, ...errors: string[]): Answered => ({ status, body: { errors } })

/** A transit engine with one key, as a Vault has it: tokens, versions, associated data. */
export function startVaultFake(options: { readonly key: string; readonly token: string }): Promise<KeyServiceFake> {
  const versions = [randomBytes(32)]
  const answer = ({ method, path, headers, body }: Asked): Answered => {
    if (headers['x-vault-token'] !== options.token) return failed(403, 'permission denied')
    const sent = (body === '' ? {} : JSON.parse(body)) as Record<string, string>
    const aad = bytes(sent['associated_data'])
    const [, verb, rest] = /^\/v1\/transit\/(encrypt|decrypt|keys)\/(.+)$/.exec(path) ?? []
    if (verb === 'keys' && rest === options.key && method === 'GET')
      return { status: 200, body: { data: { latest_version: versions.length } } }
    if (verb === 'keys' && rest === `${options.key}/rotate`) {
      versions.push(randomBytes(32))
      return { status: 204 }
    }
    if (rest !== options.key) return failed(404)
    if (verb === 'encrypt') {
      const last = versions.at(-1)
      assert.ok(last)
      const sealed = seal(last, bytes(sent['plaintext']), aad).toString('base64')
      return { status: 200, body: { data: { ciphertext: `vault:v${versions.length}:${sealed}` } } }
    }
    const [, version, sealed] = /^vault:v(\d+):(.+)$/.exec(sent['ciphertext'] ?? '') ?? []
    const opened = open(versions[Number(version) - 1], bytes(sealed), aad)
    if (opened === undefined) return failed(400, 'cipher: message authentication failed')
    return { status: 200, body: { data: { plaintext: opened.toString('base64') } } }
  }
  return serve(answer, ({ path }) => path)
}

type AwsFake = KeyServiceFake & { readonly pointAlias: () => void }
const wrong = (type: string): Answered => ({ status: 400, body: { __type: type, message: 'as in the tests' } })

/** AWS KMS with an alias that can be moved to another key. Believes signed requests only. */
export async function startAwsKmsFake(options: {
  readonly region: string
  readonly credentials: AwsCredentials
  readonly now: () => Date
}): Promise<AwsFake> {
  const arnOf = (index: number): string => `arn:aws:kms:${options.region}:111122223333:key/${index}`
  const keys = [randomBytes(32)]
  const aliasArn = (): string => arnOf(keys.length - 1)
  const keyOf = (arn: string): Buffer | undefined => keys[Number(/\/(\d+)$/.exec(arn)?.[1])]
  const aadOf = (context: unknown): Buffer => Buffer.from(JSON.stringify(context ?? {}))
  // The blob of KMS says by itself which key made it.
  const encrypt = (plaintext: Buffer, context: unknown): Answered => {
    const arn = aliasArn()
    const key = keyOf(arn)
    assert.ok(key)
    const blob = Buffer.concat([Buffer.from(`${arn}\n`), seal(key, plaintext, aadOf(context))])
    return { status: 200, body: { CiphertextBlob: blob.toString('base64'), KeyId: arn } }
  }
  const decrypt = (blob: Buffer, context: unknown): Buffer | undefined => {
    const end = blob.indexOf('\n')
    return open(keyOf(blob.subarray(0, Math.max(end, 0)).toString()), blob.subarray(end + 1), aadOf(context))
  }
  let url = ''
  const answer = ({ headers, body }: Asked): Answered => {
    const { 'content-type': type = '', 'x-amz-target': target = '' } = headers as Record<string, string>
    const scope = { region: options.region, service: 'kms', now: options.now() }
    const request = { method: 'POST', url, headers: { 'content-type': type, 'x-amz-target': target }, body }
    if (headers.authorization !== signForAws(request, scope, options.credentials)['authorization'])
      return wrong('InvalidSignatureException')
    const sent = JSON.parse(body) as Record<string, string | undefined>
    if (target === 'TrentService.DescribeKey') return { status: 200, body: { KeyMetadata: { Arn: aliasArn() } } }
    if (target === 'TrentService.Encrypt') return encrypt(bytes(sent['Plaintext']), sent['EncryptionContext'])
    const context = sent['EncryptionContext'] ?? sent['SourceEncryptionContext']
    const opened = decrypt(bytes(sent['CiphertextBlob']), context)
    if (opened === undefined) return wrong('InvalidCiphertextException')
    if (target === 'TrentService.Decrypt') return { status: 200, body: { Plaintext: opened.toString('base64') } }
    return encrypt(opened, sent['DestinationEncryptionContext'])
  }
  const fake = await serve(answer, ({ headers }) => String(headers['x-amz-target']))
  url = `${fake.url}/`
  return { ...fake, pointAlias: () => void keys.push(randomBytes(32)) }
}
