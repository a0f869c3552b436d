import { createHash, X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import { LIMITS } from '../kernel/limits.ts'

/** The certificate of whoever calls, as TLS, or a proxy in front of us that may be believed, says. */
export type ClientCertificate = {
  /** `x5t#S256` (RFC 8705 §3.1): base64url of the SHA-256 of its DER. */
  readonly thumbprint: string
  /** Whether an authority of ours made it and it is in its time; false for a certificate that only its thumbprint vouches for. */
  readonly isTrusted: boolean
  /** Whether it is for this host name (subject alternative name). */
  readonly isFor: (host: string) => boolean
}

/**
 * The certificate of the caller: of the TLS connection, or, when the call comes from one of `proxies` (addresses), of the header
 * `Client-Cert` (RFC 9440, or PEM with percent escapes as nginx writes it). From everybody else that header says nothing.
 */
export function certificateOf(request: IncomingMessage, proxies: readonly string[]): ClientCertificate | undefined {
  const { socket } = request
  if (socket instanceof TLSSocket) {
    const own = socket.getPeerX509Certificate()
    if (own !== undefined) return describe(own, socket.authorized)
  }
  const header = request.headers['client-cert']
  const from = (socket.remoteAddress ?? '').replace(/^::ffff:/, '')
  if (typeof header !== 'string' || !proxies.includes(from)) return undefined
  const read = readHeader(header)
  return read === undefined ? undefined : describe(read, false)
}

/** `x5t#S256` of a certificate in DER. */
export function thumbprintOf(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('base64url')
}

function describe(certificate: X509Certificate, isTrusted: boolean): ClientCertificate {
  return {
    thumbprint: thumbprintOf(certificate.raw),
    isTrusted,
    // Names in the subject are no longer matched (RFC 9525 §2).
    isFor: (host) => certificate.checkHost(host, { subject: 'never', wildcards: false }) !== undefined,
  }
}

function readHeader(header: string): X509Certificate | undefined {
  if (header.length > LIMITS.clientCertificateCharsMax) return undefined
  const structured = /^:([A-Za-z0-9+/]+={0,2}):$/.exec(header)?.[1]
  try {
    return new X509Certificate(
      structured === undefined ? decodeURIComponent(header) : Buffer.from(structured, 'base64'),
    )
  } catch {
    // Not a certificate: nobody has proved anything.
    return undefined
  }
}
