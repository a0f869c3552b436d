import type { SeenEvent } from './party.ts'
import type { Hospital, PartyId } from './world.ts'

/** Access that a doctor opened without asking, as her hospital's events say it. */
export type Emergency = {
  readonly id: string
  readonly hospital: Hospital
  readonly patient: string
  readonly until: Date
  ended?: true
  reviewed?: true
}

/** The law of emergencies: they end at their minute, once; they are reviewed once, after their end; every look under them is recorded. */
export class Emergencies {
  readonly all = new Map<string, Emergency>()
  /** Documents of looks in an emergency that were recorded: `IN…` → how many. */
  readonly looked = new Map<string, number>()
  readonly #patientOf: (reference: string) => string
  readonly #fault: (text: string) => void

  constructor(patientOf: (reference: string) => string, fault: (text: string) => void) {
    this.#patientOf = patientOf
    this.#fault = fault
  }

  /** The one that is open at this moment, by the clock of the hospital. */
  openAt(hospital: PartyId, patient: string, at: Date): Emergency | undefined {
    return [...this.all.values()].find(
      (one) => one.hospital === hospital && one.patient === patient && one.ended === undefined && one.until > at,
    )
  }

  see(party: PartyId, event: SeenEvent, at: Date): void {
    const { type, subject = '' } = event
    const reference = String(event['patient'])
    if (type === 'emergency.opened') {
      const patient = this.#patientOf(reference)
      if (this.openAt(party, patient, at) !== undefined)
        this.#fault(`emergency ${subject} was opened beside an open one`)
      const until = new Date(String(event['until']))
      this.all.set(subject, { id: subject, hospital: party as Hospital, patient, until })
    }
    if (type === 'emergency.ended') this.#ended(subject, event['how'], at)
    if (type === 'emergency.reviewed') {
      const one = this.all.get(subject)
      if (one?.ended === undefined || one.reviewed)
        this.#fault(`emergency ${subject} was reviewed before its end, or twice`)
      else one.reviewed = true
    }
    if (type === 'records.viewed' && event['ground'] === 'emergency') {
      const records = event['records'] as readonly unknown[]
      this.looked.set(party, (this.looked.get(party) ?? 0) + records.length)
      if (this.openAt(party, this.#patientOf(reference), at) === undefined)
        this.#fault(
          `records of ${reference} were opened in an emergency at ${party}, and none was open at ${at.toISOString()}`,
        )
    }
  }

  #ended(id: string, how: unknown, at: Date): void {
    const one = this.all.get(id)
    if (one === undefined || one.ended) return this.#fault(`emergency ${id} ended, and was not open`)
    if (how === 'time over' && at < one.until) this.#fault(`emergency ${id} ended before its time`)
    one.ended = true
  }
}
