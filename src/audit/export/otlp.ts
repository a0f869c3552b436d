import { type ExportedEvent, outcomeOf, type Severity, severityOf } from './exported.ts'

/** OpenTelemetry severity numbers: INFO, WARN, ERROR. */
const SEVERITIES: Readonly<Record<Severity, { readonly severityNumber: number; readonly severityText: string }>> = {
  info: { severityNumber: 9, severityText: 'INFO' },
  warning: { severityNumber: 13, severityText: 'WARN' },
  alert: { severityNumber: 17, severityText: 'ERROR' },
}

const text = (key: string, stringValue: string) => ({ key, value: { stringValue } })

/** The body of an OTLP/HTTP export request of logs, in JSON (opentelemetry-proto, `ExportLogsServiceRequest`). */
export function formatOtlp(events: readonly ExportedEvent[], origin: string, now: Date): string {
  const nanos = (at: Date): string => `${at.getTime()}000000`
  return JSON.stringify({
    resourceLogs: [
      {
        resource: { attributes: [text('service.name', 'amanat'), text('amanat.log', origin)] },
        scopeLogs: [
          {
            scope: { name: 'amanat.audit' },
            logRecords: events.map((event) => ({
              timeUnixNano: nanos(event.at),
              observedTimeUnixNano: nanos(now),
              ...SEVERITIES[severityOf(event)],
              eventName: event.type,
              body: { stringValue: event.type },
              attributes: [
                text('amanat.event.id', event.id),
                { key: 'amanat.leaf', value: { intValue: String(event.leaf) } },
                text('amanat.actor.kind', event.actorKind),
                text('event.outcome', outcomeOf(event)),
              ],
            })),
          },
        ],
      },
    ],
  })
}

/** Sends one batch. Throws when it was not taken; `retryAfterMs` says how long the collector wants to be left alone. */
export async function sendOtlp(
  body: string,
  to: { readonly url: string; readonly authorization?: string },
  fetching: typeof fetch,
  timeoutMs: number,
): Promise<void> {
  const answer = await fetching(to.url, {
    method: 'POST',
    redirect: 'error',
    headers: {
      'content-type': 'application/json',
      ...(to.authorization === undefined ? {} : { authorization: to.authorization }),
    },
    body,
    signal: AbortSignal.timeout(timeoutMs),
  })
  await answer.body?.cancel()
  if (answer.status === 200) return
  const seconds = Number(answer.headers.get('retry-after') ?? '')
  throw new NotTaken(`the collector answered ${answer.status}`, Number.isFinite(seconds) ? seconds * 1000 : 0)
}

export class NotTaken extends Error {
  override readonly name = 'NotTaken'
  readonly retryAfterMs: number

  constructor(message: string, retryAfterMs: number) {
    super(message)
    this.retryAfterMs = retryAfterMs
  }
}
