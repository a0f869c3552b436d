/** What a SIEM is told of an event: nothing of whom it is about, nothing of health. */
export type ExportedEvent = {
  readonly id: string
  readonly type: string
  readonly at: Date
  /** Its place in the log, by which a receiver finds doubles and gaps. */
  readonly leaf: number
  readonly actorKind: string
}

export type Severity = 'info' | 'warning' | 'alert'

/** What somebody should look at now. */
const ALERTS: ReadonlySet<string> = new Set(['log.alarm-raised', 'credential.tampered'])

/** Words at the end of an event's type that say that something did not happen. */
const FAILURES = /(denied|refused|failed|withheld|undelivered|conflict|lost|wrong|reused)$/

export function outcomeOf({ type }: Pick<ExportedEvent, 'type'>): 'success' | 'failure' {
  return FAILURES.test(type) ? 'failure' : 'success'
}

export function severityOf(event: Pick<ExportedEvent, 'type'>): Severity {
  if (ALERTS.has(event.type)) return 'alert'
  return outcomeOf(event) === 'failure' ? 'warning' : 'info'
}
