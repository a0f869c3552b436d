import { z } from 'zod'
import { readRoots } from './audit/timestamp/token.ts'
import { type LogPolicy, parsePolicy } from './crypto/log-policy.ts'
import { isRefusal } from './kernel/refusal.ts'

/** A policy in settings: the lines of a C2SP tlog-policy file, each a text. */
export const policyLines = z.array(z.string()).transform((lines, ctx): LogPolicy => {
  const policy = parsePolicy(`${lines.join('\n')}\n`)
  if (!isRefusal(policy)) return policy
  ctx.addIssue({ code: 'custom', message: policy.detail })
  return z.NEVER
})

/** Who says when our checkpoints were there: a time-stamp authority of RFC 3161, asked every so many hours. */
export const logTimestamps = z
  .object({
    url: z.url({ protocol: /^https?$/, error: 'write the address of the authority, such as https://tsa.example/tsr' }),
    everyHours: z.number().int().min(1).max(168).default(24),
    /** The certificates, in PEM, of the authorities whose time-stamps are believed. */
    ca: z.string().refine(isPem, 'write one certificate or more in PEM'),
  })
  .strict()

function isPem(text: string): boolean {
  try {
    return readRoots(text).length > 0
  } catch {
    // Whatever the reader of certificates says: the setting is wrong.
    return false
  }
}

/** Where a SIEM takes our events: RFC 5424 over TCP or TLS, or OTLP logs over HTTP. */
export const logExport = z.discriminatedUnion(
  'kind',
  [
    z
      .object({
        kind: z.literal('syslog'),
        host: z.string().min(1),
        port: z.number().int().min(1).max(65_535),
        tls: z.boolean().default(true),
        /** The certificate, in PEM, of who signed the receiver's; the system's own without it. */
        ca: z.string().min(1).optional(),
      })
      .strict(),
    z
      .object({
        kind: z.literal('otlp'),
        url: z.url({
          protocol: /^https?$/,
          error: 'write the address of the collector, such as https://siem.example/v1/logs',
        }),
        authorization: z.string().min(1).optional(),
      })
      .strict(),
  ],
  'write "kind": "syslog" or "kind": "otlp"',
)
