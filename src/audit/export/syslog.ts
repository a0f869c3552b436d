import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type ExportedEvent, outcomeOf, type Severity, severityOf } from './exported.ts'

/** RFC 5424 §6.2.1: facility 13, "log audit". */
const FACILITY = 13
const SEVERITIES: Readonly<Record<Severity, number>> = { alert: 1, warning: 4, info: 6 }
const MSGID_CHARS_MAX = 32
const HOSTNAME_CHARS_MAX = 255
/** Structured data under the number that RFC 5612 keeps for examples: we have none of our own. */
const SD_ID = 'amanat@32473'

/** One event as RFC 5424 says; `origin` is the name of our log. */
export function formatSyslog(event: ExportedEvent, origin: string): string {
  const priority = FACILITY * 8 + SEVERITIES[severityOf(event)]
  const host = origin.split('/')[0]?.slice(0, HOSTNAME_CHARS_MAX) ?? '-'
  const values = {
    id: event.id,
    type: event.type,
    leaf: String(event.leaf),
    actor: event.actorKind,
    outcome: outcomeOf(event),
    log: origin,
  }
  const data = Object.entries(values).map(([name, value]) => `${name}="${value.replace(/["\\\]]/g, '\\$&')}"`)
  const id = event.type.replace(/[^\x21-\x7e]/g, '_').slice(0, MSGID_CHARS_MAX)
  return `<${priority}>1 ${event.at.toISOString()} ${host} amanat - ${id} [${SD_ID} ${data.join(' ')}]`
}

/** Frames by octet counting (RFC 5425 §4.3, RFC 6587 §3.4.1). */
export function frame(messages: readonly string[]): Buffer {
  return Buffer.concat(messages.map((message) => Buffer.from(`${Buffer.byteLength(message)} ${message}`)))
}

/**
 * Sends one batch over a connection of its own and waits until the receiver has closed it in turn: syslog has no answers, and this is the
 * nearest to one. Throws when the connection breaks or nothing happens for `timeoutMs`; the receiver may have part of the batch.
 */
export function sendSyslog(
  bytes: Buffer,
  to: { readonly host: string; readonly port: number; readonly tls: boolean; readonly ca?: string },
  timeoutMs: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const { host, port, tls, ca } = to
    const socket: Socket = tls
      ? connectTls({ host, port, servername: host, ...(ca === undefined ? {} : { ca }) })
      : connectTcp({ host, port })
    let isSent = false
    const silent = () =>
      isSent
        ? `${host}:${port} did not close the connection for ${timeoutMs} ms after the batch was sent: whether it has it is not known`
        : `${host}:${port} took nothing for ${timeoutMs} ms`
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(silent())))
    socket.once(tls ? 'secureConnect' : 'connect', () => socket.end(bytes, () => void (isSent = true)))
    socket.resume()
    socket.once('error', reject)
    socket.once('close', (hadError) => {
      if (hadError) return
      if (isSent) resolve()
      else reject(new Error(`${host}:${port} closed the connection before it had everything`))
    })
  })
}
