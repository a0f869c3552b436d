import { constants } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { Server as TlsServer } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { ConfigFault, type PartyConfig } from './config.ts'
import type { TlsConfig } from './config-tls.ts'
import type { OwnCertificateFor } from './http/outbound.ts'
import type { TlsOptions } from './http/server.ts'
import type { Chore } from './jobs/schedule.ts'

const LOOK_EVERY_MS = 30_000

/** TLS as the settings say; throws a fault with one sentence when a file cannot be read. Undefined = a proxy does it, or nobody. */
export function tlsOf({ tls }: Pick<PartyConfig, 'tls'>): TlsOptions | undefined {
  if (tls === undefined) return undefined
  return {
    ...contextOf(tls),
    requestCert: tls.clientCertificates === 'request',
    // Who presents a certificate that no authority of ours made may be known by its thumbprint: that is decided later.
    rejectUnauthorized: false,
  }
}

/** What is the same before and after a renewal. */
const contextOf = (tls: TlsConfig) => ({
  ...readFiles(tls),
  minVersion: 'TLSv1.2' as const,
  // A session taken up again would bring no certificate along.
  ...(tls.clientCertificates === 'request' ? { secureOptions: constants.SSL_OP_NO_TICKET } : {}),
})

type Files = { readonly cert: Buffer; readonly key: Buffer; readonly ca?: Buffer }

function readFiles({ certFile, keyFile, clientCa }: TlsConfig): Files {
  return {
    cert: read('tls.certFile', certFile),
    key: read('tls.keyFile', keyFile),
    ...(clientCa === undefined ? {} : { ca: read('tls.clientCa', clientCa) }),
  }
}

function read(setting: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    throw new ConfigFault(`${setting}: ${path} cannot be read (${why}).`)
  }
}

/** Takes renewed certificate files while the party runs: new connections get them, none is cut. Files that do not fit are said, and the old ones stay. */
export function tlsChores(
  { tls }: Pick<PartyConfig, 'tls'>,
  { server }: FastifyInstance,
  log: Logger,
): readonly Chore[] {
  if (tls === undefined) return []
  const stamp = (): string =>
    [tls.certFile, tls.keyFile, tls.clientCa]
      .map((path) => (path === undefined ? '' : String(statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 'gone')))
      .join(' ')
  let taken = stamp()
  return [
    {
      name: 'take renewed certificates',
      everyMs: LOOK_EVERY_MS,
      run: async () => {
        const now = stamp()
        if (now === taken || !(server instanceof TlsServer)) return
        try {
          server.setSecureContext(contextOf(tls))
          taken = now
          log.info('renewed certificate files are in use')
        } catch (error) {
          // Half of a renewal, perhaps: the next look finds the rest.
          log.error({ why: error instanceof Error ? error.message : 'unreadable' }, 'certificate files do not fit')
        }
      },
    },
  ]
}

/** The certificate that a facility presents to its exchange, for its calls to that one host; each new connection reads the files anew. */
export function certificatesFor(config: PartyConfig): readonly OwnCertificateFor[] {
  if (config.role !== 'facility' || config.exchange.certificate === undefined) return []
  const { certificate, baseUrl, nativeUrl } = config.exchange
  const files = () => ({
    cert: read('exchange.certificate.certFile', certificate.certFile),
    key: read('exchange.certificate.keyFile', certificate.keyFile),
    ...(certificate.caFile === undefined ? {} : { ca: read('exchange.certificate.caFile', certificate.caFile) }),
  })
  // What is missing is said at the start, not at the first call.
  files()
  const origins = [baseUrl, ...(nativeUrl === undefined ? [] : [nativeUrl])].map((url) => new URL(url).origin)
  return [...new Set(origins)].map((origin) => ({ origin, files }))
}
