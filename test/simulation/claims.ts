import type { SeenEvent } from './party.ts'
import type { PartyId } from './world.ts'

/** The law of copies that are kept: while a claim lasts the copy stays, sealed and unread; after it, it is erased as every other. */
export class Claims {
  /** Until when a copy must be kept, by consent. */
  readonly until = new Map<string, Date>()
  readonly held = new Set<string>()
  readonly erased = new Set<string>()
  readonly #fault: (text: string) => void

  constructor(fault: (text: string) => void) {
    this.#fault = fault
  }

  /** Whether the law demands at this moment that the copy is there. */
  isKeptAt(consent: string, at: Date): boolean {
    return this.held.has(consent) && (this.until.get(consent)?.getTime() ?? 0) > at.getTime()
  }

  see(party: PartyId, event: SeenEvent, at: Date): void {
    const { type, subject = '' } = event
    if (type === 'hiu.copy-claimed') this.until.set(subject, new Date(String(event['until'])))
    if (type === 'hiu.claim-lifted') this.until.delete(subject)
    if (type === 'hiu.copy-held') this.held.add(subject)
    if (type === 'hiu.record-viewed' && (this.held.has(subject) || this.erased.has(subject)))
      this.#fault(`a document of ${subject} was shown at ${party}, which a law keeps sealed, or which is erased`)
    if (type === 'hiu.copy-erased' && event['again'] !== true) {
      this.erased.add(subject)
      const until = this.until.get(subject)
      if (until !== undefined && until > at && Number(event['documents']) > 0)
        this.#fault(`the copy under ${subject} was erased at ${party}, and is claimed until ${until.toISOString()}`)
    }
  }
}
