import { resolve } from 'node:path'
import { z } from 'zod'

const file = z.string().min(1, 'write a file')

/** TLS at our own door: files in PEM, read again when they change. */
export const tlsConfig = z
  .object({
    certFile: file,
    keyFile: file,
    /** Authorities whose certificates of partners are trusted by their host name; without it, only by registered thumbprint. */
    clientCa: file.optional(),
    /** `request`: partners may present certificates; who has none comes in all the same. */
    clientCertificates: z.enum(['none', 'request'], 'write "none" or "request"').default('none'),
  })
  .strict()
export type TlsConfig = z.output<typeof tlsConfig>

/** The certificate that we present to the exchange, and the authority that made the exchange's. */
export const ownCertificate = z.object({ certFile: file, keyFile: file, caFile: file.optional() }).strict()
export type OwnCertificate = z.output<typeof ownCertificate>

/** Addresses of proxies that end TLS in front of us and say in `Client-Cert` which certificate a caller presented to them. */
/** Hosts that may be called, where that is to be a list; one with a dot before it stands for all below it. */
export const callsOnly = z
  .array(
    z
      .string()
      .regex(/^\.?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'write a host such as exchange.example.org or .example.org'),
  )
  .optional()

export const certificateProxies = z
  .array(z.union([z.ipv4(), z.ipv6()], 'write the address of the proxy, such as 10.0.0.5'))
  .default([])

/** Files are meant from where the settings lie. */
export function withTlsFiles<T extends TlsConfig | OwnCertificate>(files: T, base: string): T {
  return Object.fromEntries(
    Object.entries(files).map(([name, value]) => [
      name,
      name === 'clientCertificates' ? value : resolve(base, value ?? ''),
    ]),
  ) as T
}
