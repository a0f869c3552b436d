import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { backupConfig, withBackupFolders } from './config-backup.ts'
import { keysConfig, withKeyFolders, withKeySecrets } from './config-keys.ts'
import { logExport, logTimestamps, policyLines } from './config-log.ts'
import { textLanguage, textMessages } from './config-texts.ts'
import { callsOnly, certificateProxies, ownCertificate, tlsConfig, withTlsFiles } from './config-tls.ts'
import { HOLDS_BY_SETTING } from './hiu/copy.ts'
import { shownName } from './http/shown-words.ts'
import { parseFacilityId } from './kernel/id.ts'
import { LIMITS } from './kernel/limits.ts'

/** The only reader of settings. Everything is checked at start; a fault says what is wrong, where, and what to write. */

const httpUrl = z
  .string()
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && !text.endsWith('/'), {
    message: 'write an http or https URL without a slash at the end, such as https://exchange.example.org',
  })
const port = z
  .number()
  .int('write a whole number')
  .min(0, 'write a port from 0 to 65535')
  .max(65_535, 'write a port from 0 to 65535')
const facility = z.string().transform((text, ctx) => {
  const id = parseFacilityId(text)
  if (id === undefined) ctx.addIssue({ code: 'custom', message: 'write a facility id such as IN2710000011' })
  return id as NonNullable<typeof id>
})
const vkey = z
  .string()
  .regex(
    /^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/,
    'write a verifier key: name+hash+key, as /log/vkey and /witness/vkey show it',
  )

const database = z.union(
  [
    z
      .object({ url: z.string().regex(/^postgres(ql)?:\/\//, 'write postgresql://user:password@host:5432/name') })
      .strict(),
    z
      .object({
        embeddedFolder: z.string().min(1),
        name: z.string().regex(/^[a-z][a-z0-9_]{0,40}$/, 'write lower-case letters, digits and _'),
      })
      .strict(),
  ],
  'write {"url": "postgresql://…"} for a server of yours, or {"embeddedFolder": "./data/postgres", "name": "hospital"}',
)

const common = {
  name: shownName(120),
  listen: z
    .object({
      host: z.string().min(1).default('127.0.0.1'),
      port,
      /** Addresses or networks of proxies in front, whose `X-Forwarded-For` says who calls. */
      trustedProxies: z
        .array(
          z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], 'write an address or a network such as 10.0.0.0/8'),
        )
        .default([]),
      certificateProxies,
    })
    .strict(),
  /** TLS at this door; without it a proxy in front does it. */
  tls: tlsConfig.optional(),
  /** Calls a second that one caller, and one address that has not proved who calls, may make for long; five times as many at once. */
  callsPerSecond: z
    .object({ caller: z.number().min(1), address: z.number().min(1) })
    .strict()
    .default(LIMITS.callsPerSecond),
  /** Where others reach us. */
  publicUrl: httpUrl,
  database,
  /** Folder of `keys.json`. */
  keysFolder: z.string().min(1, 'write the folder of keys.json'),
  /** What wraps the data keys: a key in keys.json, or a key service. */
  keys: keysConfig,
  /** Backups that the party takes by itself. */
  backup: backupConfig.optional(),
  log: z
    .object({
      /** Name of our log, for ever: host and path without scheme (C2SP checkpoint origin). */
      origin: z.string().regex(/^[^\s+]{3,200}$/, 'write a name without blanks or +, such as hospital.example.org/log'),
      witnesses: z.array(z.object({ name: z.string().min(1), vkey, url: httpUrl }).strict()).default([]),
      witnessFor: z.array(z.object({ origin: z.string().min(1), vkey }).strict()).default([]),
      /** Which logs are our network's, and which witnesses make a receipt final (C2SP tlog-policy). */
      policy: policyLines.optional(),
      /** Systems that watch what happens here: types and times of events, never whom they are about. */
      exports: z.array(logExport).max(8).default([]),
      /** Who else says when our log was so long. */
      timestamps: logTimestamps.optional(),
    })
    .strict(),
  /** Bearer token of operators and of `amanat sandbox`. At least 32 characters. */
  operatorToken: z.string().min(32, 'write at least 32 random characters'),
  /** Only for a network on one machine or in one building: lets callbacks go to private addresses. */
  allowPrivateNetworks: z.boolean().default(false),
  callsOnly,
  /** Profiles imported with `amanat fhir import`; the shipped ones without it. */
  profilesFolder: z.string().min(1).optional(),
  /** Never in production: invented people only. Whole messages are kept, and operators may break the party on purpose. */
  sandbox: z.boolean().default(false),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  textMessages: textMessages(httpUrl),
}

const exchangeConfig = z
  .object({
    role: z.literal('exchange'),
    id: z.string().regex(/^[a-z0-9]{2,20}$/, 'write the suffix of your ABHA addresses, such as sbx'),
    ...common,
    /** Who may open the sandbox console, which asks for no password: this machine only, or whoever reaches `publicUrl`. */
    console: z.enum(['loopback', 'open'], 'write "loopback" or "open"').default('loopback'),
    /** The parties that the sandbox console sees and steers. */
    sandboxParties: z
      .array(z.object({ id: z.string().min(1), url: httpUrl, operatorToken: z.string().min(32) }).strict())
      .default([]),
    /** Who answers patients' questions about their data (DPDP s.6(3)); stands in every notice. */
    contact: z
      .object({ name: z.string().min(1).max(120), email: z.email(), phone: z.string().min(3).max(30).optional() })
      .strict()
      .optional(),
  })
  .strict()
  .refine(({ sandbox, sandboxParties }) => sandbox || sandboxParties.length === 0, {
    path: ['sandboxParties'],
    message: 'is for a sandbox only; remove it, or write "sandbox": true',
  })
  .refine(({ sandbox, contact }) => sandbox || contact !== undefined, {
    path: ['contact'],
    message:
      'is missing; write {"name", "email", "phone"} of the person who answers patients\u2019 questions (a sandbox may leave it out)',
  })

/** Single sign-on of the staff; ends in a slash where the provider's own name does. */
const oidc = z
  .object({
    /** What stands on the button at the desk. */
    name: z.string().min(1).max(60),
    issuer: z.url({ protocol: /^https?$/, error: 'write the address that the provider calls itself' }),
    clientId: z.string().min(1),
    clientSecret: z.string().min(1).optional(),
    /** In place of a secret: the private key whose public half the provider knows (private_key_jwt). */
    privateKeyJwk: z.looseObject({ kty: z.string().min(1) }).optional(),
    scope: z
      .string()
      .regex(/(^| )openid( |$)/, 'must name openid')
      .default('openid profile email'),
    /** Which claim says the login of a person here. With a domain, meera.nair@hospital.example is meera.nair. */
    login: z
      .object({ claim: z.string().min(1), domain: z.string().min(3).optional() })
      .strict()
      .refine(({ claim, domain }) => claim !== 'email' || domain !== undefined, {
        path: ['domain'],
        message: 'write the domain of your e-mail addresses, such as hospital.example',
      })
      .default({ claim: 'preferred_username' }),
    /** What the provider says (acr, amr) when it asked for a second factor itself. Empty: our own is asked for. */
    secondFactor: z
      .object({ acr: z.array(z.string().min(1)).default([]), amr: z.array(z.string().min(1)).default([]) })
      .strict()
      .default({ acr: [], amr: [] }),
  })
  .strict()
  .transform(({ clientSecret, privateKeyJwk, ...rest }, ctx) => {
    if (clientSecret !== undefined && privateKeyJwk === undefined) return { ...rest, proof: { clientSecret } }
    if (privateKeyJwk !== undefined && clientSecret === undefined) return { ...rest, proof: { privateKeyJwk } }
    ctx.addIssue({ code: 'custom', path: ['clientSecret'], message: 'write either clientSecret or privateKeyJwk' })
    return z.NEVER
  })

/** How long one attachment may take. */
const timeoutSeconds = z.number().min(1).max(120).default(30)

const facilityConfig = z
  .object({
    role: z.literal('facility'),
    id: facility,
    ...common,
    exchange: z
      .object({
        /** Ends in /api/hiecm: ours, or the national gateway. */
        baseUrl: httpUrl,
        /** Our exchange's native API; leave out behind a gateway that has none. */
        nativeUrl: httpUrl.optional(),
        cmId: z.string().min(1, 'write the X-CM-ID, such as sbx'),
        clientId: z.string().min(1),
        clientSecret: z.string().min(1),
        artefactSignature: z
          .enum(
            ['rs256-jcs', 'not-checked'],
            'write "rs256-jcs" for an Amanat exchange, "not-checked" for a gateway that does not publish how it signs',
          )
          .default('rs256-jcs'),
        /** Presented to the exchange over TLS; tokens of its native API are then bound to it. */
        certificate: ownCertificate.optional(),
      })
      .strict(),
    /** How the staff may sign in beside their own passwords and passkeys. */
    signIn: z
      .object({
        oidc: oidc.optional(),
        /** A file of SHA-1 hashes of leaked passwords, sorted, as Have I Been Pwned lets one download them. */
        leakedPasswords: z.string().min(1).optional(),
      })
      .strict()
      .default({}),
    textLanguage,
    /** Laws by which copies received from others are kept, sealed, beyond their consent (src/hiu/copy.ts). */
    keepsByLaw: z
      .array(z.enum(HOLDS_BY_SETTING, `write ${HOLDS_BY_SETTING.map((each) => `"${each}"`).join(' or ')}`))
      .default([]),
    /** What looks at attachments for malware: clamd, or what speaks its protocol. */
    malwareScanner: z
      .union(
        [
          z.object({ host: z.string().min(1), port: port.min(1), timeoutSeconds }).strict(),
          z.object({ socket: z.string().startsWith('/'), timeoutSeconds }).strict(),
        ],
        'write {"host": "127.0.0.1", "port": 3310} or {"socket": "/run/clamav/clamd.ctl"}',
      )
      .optional(),
    records: z
      .object({
        folder: z.string().min(1).optional(),
        fhirServer: z
          .object({
            url: httpUrl,
            /** How the server keeps documents. */
            documentsBy: z
              .enum(['Bundle', 'Composition', 'DocumentReference'], 'write Bundle, Composition or DocumentReference')
              .default('Bundle'),
            /** Sent as the Authorization header, such as "Bearer …". */
            authorization: z.string().min(1).optional(),
          })
          .strict()
          .optional(),
      })
      .strict()
      .default({}),
  })
  .strict()
  .refine(({ signIn, allowPrivateNetworks }) => allowPrivateNetworks || !signIn.oidc?.issuer.startsWith('http:'), {
    path: ['signIn', 'oidc', 'issuer'],
    message: 'must begin with https; http is for a network on one machine or in one building (allowPrivateNetworks)',
  })

const partyConfig = z.discriminatedUnion(
  'role',
  [exchangeConfig, facilityConfig],
  'write "role": "exchange" or "role": "facility"',
)

export type ExchangeConfig = z.output<typeof exchangeConfig>
export type FacilityConfig = z.output<typeof facilityConfig>
export type PartyConfig = z.output<typeof partyConfig>

export class ConfigFault extends Error {
  override readonly name = 'ConfigFault'
}

/** Checks settings; `where` names the file or place they came from. */
export function parseConfig(value: unknown, where: string): PartyConfig {
  const parsed = partyConfig.safeParse(value)
  if (parsed.success) return parsed.data
  const lines = parsed.error.issues.map(
    (issue) => `  ${issue.path.length > 0 ? issue.path.join('.') : '(the whole)'}: ${sayIssue(issue)}`,
  )
  throw new ConfigFault(
    `${where} has ${lines.length === 1 ? 'a setting' : `${lines.length} settings`} that cannot be used:\n${lines.join('\n')}`,
  )
}

function sayIssue(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys')
    return `there is no setting named ${issue.keys.map((key) => `"${key}"`).join(', ')}; remove it or mend its spelling`
  if (issue.code === 'invalid_type')
    return issue.message.includes('undefined')
      ? `is missing; write a ${issue.expected}`
      : `${issue.message}; write a ${issue.expected}`
  return issue.message
}

/** Reads a settings file. `AMANAT_OPERATOR_TOKEN`, `AMANAT_CLIENT_SECRET`, `AMANAT_OIDC_CLIENT_SECRET` and `DATABASE_URL` take secrets out of the file. */
export function readConfigFile(path: string, env: Readonly<Record<string, string | undefined>>): PartyConfig {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigFault(
      `the settings file ${path} cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'}). Name another one with --config FILE.`,
    )
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new ConfigFault(
      `the settings file ${path} is not valid JSON: ${error instanceof Error ? error.message : 'unreadable'}`,
    )
  }
  return withFolders(parseConfig(withSecrets(value, env), path), dirname(resolve(path)))
}

/** Folders in a settings file are meant from where the file lies, wherever the program is started. */
function withFolders(config: PartyConfig, base: string): PartyConfig {
  const database =
    'url' in config.database
      ? config.database
      : { ...config.database, embeddedFolder: resolve(base, config.database.embeddedFolder) }
  const common = {
    database,
    keysFolder: resolve(base, config.keysFolder),
    keys: withKeyFolders(config.keys, base),
    ...(config.backup === undefined ? {} : { backup: withBackupFolders(config.backup, base) }),
    ...(config.profilesFolder === undefined ? {} : { profilesFolder: resolve(base, config.profilesFolder) }),
    ...(config.tls === undefined ? {} : { tls: withTlsFiles(config.tls, base) }),
  }
  if (config.role === 'exchange') return { ...config, ...common }
  const { folder } = config.records
  const { leakedPasswords } = config.signIn
  const { certificate } = config.exchange
  return {
    ...config,
    ...common,
    ...(certificate === undefined
      ? {}
      : { exchange: { ...config.exchange, certificate: withTlsFiles(certificate, base) } }),
    ...(leakedPasswords === undefined
      ? {}
      : { signIn: { ...config.signIn, leakedPasswords: resolve(base, leakedPasswords) } }),
    records: { ...config.records, ...(folder === undefined ? {} : { folder: resolve(base, folder) }) },
  }
}

function withSecrets(value: unknown, env: Readonly<Record<string, string | undefined>>): unknown {
  if (typeof value !== 'object' || value === null) return value
  const settings: Record<string, unknown> = { ...value }
  if (env['AMANAT_OPERATOR_TOKEN']) settings['operatorToken'] = env['AMANAT_OPERATOR_TOKEN']
  if (env['DATABASE_URL']) settings['database'] = { url: env['DATABASE_URL'] }
  if (settings['keys'] !== undefined) settings['keys'] = withKeySecrets(settings['keys'], env)
  const exchange = settings['exchange']
  if (env['AMANAT_CLIENT_SECRET'] && typeof exchange === 'object' && exchange !== null)
    settings['exchange'] = { ...exchange, clientSecret: env['AMANAT_CLIENT_SECRET'] }
  const signIn = settings['signIn']
  const provider = typeof signIn === 'object' && signIn !== null && 'oidc' in signIn ? signIn.oidc : undefined
  if (env['AMANAT_OIDC_CLIENT_SECRET'] && typeof provider === 'object' && provider !== null)
    settings['signIn'] = {
      ...(signIn as object),
      oidc: { ...provider, clientSecret: env['AMANAT_OIDC_CLIENT_SECRET'] },
    }
  return settings
}

const demoEnv = z.object({
  AMANAT_DATA: z.string().min(1, 'name a folder, such as ./data').default('./data'),
  AMANAT_PORT: z
    .string()
    .default('4000')
    .transform((text, ctx) => {
      const first = Number(text)
      if (!/^\d+$/.test(text) || first < 1 || first > 65_500)
        ctx.addIssue({
          code: 'custom',
          message: `is "${text}"; write the first of the ports, a number from 1 to 65500`,
        })
      return first
    }),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'write postgresql://user:password@host:5432/name')
    .optional(),
  AMANAT_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('warn'),
})

export type DemoSettings = {
  readonly dataFolder: string
  readonly firstPort: number
  readonly databaseUrl: string | undefined
  readonly logLevel: PartyConfig['logLevel']
}

/** Settings of the sample network, from the environment. */
export function readDemoSettings(env: Readonly<Record<string, string | undefined>>): DemoSettings {
  const parsed = demoEnv.safeParse(env)
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`)
    throw new ConfigFault(`the environment has settings that cannot be used:\n${lines.join('\n')}`)
  }
  const { AMANAT_DATA, AMANAT_PORT, DATABASE_URL, AMANAT_LOG_LEVEL } = parsed.data
  return { dataFolder: AMANAT_DATA, firstPort: AMANAT_PORT, databaseUrl: DATABASE_URL, logLevel: AMANAT_LOG_LEVEL }
}
