import type { SeenEvent } from './party.ts'
import type { Hospital } from './world.ts'

/** Whose software a client is. */
type OwnerOf = (clientId: string) => Hospital | undefined

/** Events of the exchange that only a facility which takes part may bring about; who it is stands in these members. */
const OF_FACILITIES: Readonly<Record<string, readonly string[]>> = {
  'consent.requested': ['hiu'],
  'consent.granted': ['hiu'],
  'consent.emergency-opened': ['hiu'],
  'transfer.requested': ['hip', 'hiu'],
  'linking.contexts-linked': ['hip'],
  'linking.subscription-requested': ['hiu'],
}
/** Events that only software which is let in may bring about, and whose it is. */
const OF_SOFTWARE: Readonly<Record<string, (event: SeenEvent, ownerOf: OwnerOf) => string | undefined>> = {
  'partners.token-issued': ({ subject = '' }, ownerOf) => ownerOf(subject),
  'access.reported': (event) => (event['actor'] as { readonly id: string }).id,
  'access.page-reported': (event) => (event['actor'] as { readonly id: string }).id,
  'consent.data-erased': (event) => String(event['hiu']),
  'consent.data-kept': (event) => String(event['hiu']),
  'consent.emergency-opened': (event) => String(event['hiu']),
}

/** The law of suspension: who is shut out asks nothing, is asked nothing, gets no data and is told nothing, until it is taken back. */
export class Suspensions {
  /** Facilities whose service is switched off. */
  readonly off = new Set<string>()
  /** Of these the ones that an operator shut out: what was allowed to them is to end. */
  readonly ended = new Set<string>()
  /** Facilities whose software is shut out of the native API. */
  readonly shutOut = new Set<string>()
  /** Whoever was shut out for a while in this run: what it asked meanwhile was refused. */
  readonly ever = new Set<string>()
  readonly #facilityOf: OwnerOf
  readonly #fault: (text: string) => void

  constructor(facilityOf: OwnerOf, fault: (text: string) => void) {
    this.#facilityOf = facilityOf
    this.#fault = fault
  }

  /** Takes note of an event of the exchange. */
  see(event: SeenEvent): void {
    const { type, subject = '' } = event
    if (type === 'partners.facility-saved') this.#mark(this.off, subject, event['status'] === 'inactive')
    if (type === 'partners.facility-shut-out' || type === 'partners.facility-confirmed') {
      this.#mark(this.off, subject, type === 'partners.facility-shut-out')
      this.#mark(this.ended, subject, type === 'partners.facility-shut-out')
    }
    if (type === 'partners.client-suspended') this.#mark(this.shutOut, this.#facilityOf(subject), true)
    if (type === 'partners.client-resumed') this.#mark(this.shutOut, this.#facilityOf(subject), false)
    for (const member of OF_FACILITIES[type] ?? [])
      if (this.off.has(String(event[member]))) this.#fault(`${type} of ${String(event[member])}, which is suspended`)
    const by = OF_SOFTWARE[type]?.(event, this.#facilityOf)
    if (by !== undefined && this.shutOut.has(by)) this.#fault(`${type} by ${by}, whose software is shut out`)
  }

  /** The exchange answered software of a facility at the native API: of who is shut out it takes nothing. */
  answered(facility: string, path: string, status: number): void {
    if (status < 300 && this.shutOut.has(facility))
      this.#fault(`the exchange took ${path} of ${facility}, whose software is shut out`)
  }

  #mark(set: Set<string>, who: string | undefined, isOut: boolean): void {
    if (who === undefined) return
    if (isOut) this.ever.add(who)
    if (isOut) set.add(who)
    else set.delete(who)
  }
}
