import { resolve } from 'node:path'
import { z } from 'zod'

/** Settings of the wrapping keys: where they live now, and where they lived before. */

const serviceUrl = z
  .string()
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && !text.endsWith('/'), {
    message: 'write an http or https URL without a slash at the end, such as https://vault.hospital.example:8200',
  })
  .refine((text) => !URL.canParse(text) || new URL(text).protocol === 'https:' || isLoopback(new URL(text).hostname), {
    message: 'write https: data keys travel there; http is for this machine only',
  })

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host)
}

const vault = z
  .object({
    url: serviceUrl,
    /** Where the transit engine is mounted. */
    mount: z
      .string()
      .regex(/^[A-Za-z0-9_/-]+$/, 'write the path of the transit engine, such as transit')
      .default('transit'),
    key: z.string().regex(/^[A-Za-z0-9_.-]{1,100}$/, 'write the name of the transit key: letters, digits, _ . -'),
    token: z.string().min(1).optional(),
    /** Read anew at each call, so that an agent may renew it. */
    tokenFile: z.string().min(1).optional(),
  })
  .strict()
  .refine(({ token, tokenFile }) => (token === undefined) !== (tokenFile === undefined), {
    path: ['tokenFile'],
    message: 'write the file with the token, or set AMANAT_VAULT_TOKEN; one of them, not both',
  })

const awsKms = z
  .object({
    region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'write an AWS region, such as ap-south-1'),
    /** Id, ARN or alias of a symmetric key. */
    keyId: z.string().regex(/^[A-Za-z0-9:/_-]{1,2048}$/, 'write the id, ARN or alias/NAME of a symmetric KMS key'),
    /** Another address than that of AWS, such as a VPC endpoint. */
    endpoint: serviceUrl.optional(),
    accessKeyId: z.string('is missing; set AWS_ACCESS_KEY_ID').min(1),
    secretAccessKey: z.string('is missing; set AWS_SECRET_ACCESS_KEY').min(1),
    sessionToken: z.string().min(1).optional(),
  })
  .strict()

const pkcs11 = z
  .object({
    /** The vendor's library. */
    library: z
      .string()
      .min(1, 'write the path of the PKCS#11 library of your device, such as /usr/lib/softhsm/libsofthsm2.so'),
    token: z.string().min(1, 'write the label of the token'),
    key: z.string().regex(/^[A-Za-z0-9_.-]{1,100}$/, 'write the label of the AES key: letters, digits, _ . -'),
    pin: z.string('is missing; set AMANAT_PKCS11_PIN').min(1),
  })
  .strict()

const place = z.preprocess(
  (value) => (value === 'file' ? { file: {} } : value),
  z
    .object(
      {
        file: z.object({}).strict().optional(),
        vault: vault.optional(),
        awsKms: awsKms.optional(),
        pkcs11: pkcs11.optional(),
      },
      'write "file", {"vault": …}, {"awsKms": …} or {"pkcs11": …}',
    )
    .strict()
    .refine(
      (wrap) => Object.keys(wrap).length === 1,
      'write one of "file", {"vault": …}, {"awsKms": …}, {"pkcs11": …}',
    ),
)

export const keysConfig = z
  .object({
    /** What wraps the data keys. */
    wrap: place.default({ file: {} }),
    /** What wrapped them before, and may still have to unwrap. */
    previous: z.array(place).default([]),
  })
  .strict()
  .prefault({})

export type KeyPlace = z.output<typeof place>
type KeysConfig = z.output<typeof keysConfig>
type Env = Readonly<Record<string, string | undefined>>

/** Puts the secrets of key services, which stand in the environment, into the settings. */
export function withKeySecrets(keys: unknown, env: Env): unknown {
  if (typeof keys !== 'object' || keys === null) return keys
  const { wrap, previous, ...rest } = keys as Record<string, unknown>
  return {
    ...rest,
    ...(wrap === undefined ? {} : { wrap: withSecrets(wrap, env) }),
    ...(previous === undefined
      ? {}
      : { previous: Array.isArray(previous) ? previous.map((each) => withSecrets(each, env)) : previous }),
  }
}

function withSecrets(wrap: unknown, env: Env): unknown {
  if (typeof wrap !== 'object' || wrap === null) return wrap
  const secrets: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> = {
    vault: { token: env['AMANAT_VAULT_TOKEN'] },
    awsKms: {
      accessKeyId: env['AWS_ACCESS_KEY_ID'],
      secretAccessKey: env['AWS_SECRET_ACCESS_KEY'],
      sessionToken: env['AWS_SESSION_TOKEN'],
    },
    pkcs11: { pin: env['AMANAT_PKCS11_PIN'] },
  }
  return Object.fromEntries(
    Object.entries(wrap).map(([kind, settings]) => {
      if (typeof settings !== 'object' || settings === null) return [kind, settings]
      const given = Object.entries(secrets[kind] ?? {}).filter(([, value]) => value)
      return [kind, { ...Object.fromEntries(given), ...settings }]
    }),
  )
}

/** A token file is meant from where the settings lie. */
export function withKeyFolders({ wrap, previous }: KeysConfig, base: string): KeysConfig {
  const placed = (place: KeyPlace): KeyPlace =>
    place.vault?.tokenFile === undefined
      ? place
      : { ...place, vault: { ...place.vault, tokenFile: resolve(base, place.vault.tokenFile) } }
  return { wrap: placed(wrap), previous: previous.map(placed) }
}
