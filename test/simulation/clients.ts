import { Violation } from './model.ts'
import type { Arrival } from './post.ts'
import { AS_OPERATOR, type PartyId, type World } from './world.ts'

/** A call of a person or of hospital software, repeated with the same id until it is answered. */
export type Call = {
  readonly name: string
  readonly party: PartyId
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly body?: object
  /** Session of a patient; an operator calls where there is none. */
  readonly patient?: string
  /** Headers of anybody else, who signs in just before; undefined when that failed. */
  readonly prove?: () => Promise<Readonly<Record<string, string>> | undefined>
  /** Known by this id again; the once-only of the door. */
  readonly id: string
  /** Whether the door remembers it; what only reads is not repeated. */
  readonly once: boolean
  /** Just before each try. */
  readonly before?: () => void
  readonly answered?: (status: number, body: unknown) => void
}

/** Calls whose fate is not known yet, and those that were answered with success: what they did may never be lost. */
export class Clients {
  readonly #world: World
  readonly tokens = new Map<string, string>()
  doubtful: Call[] = []
  readonly promised: { readonly party: PartyId; readonly id: string; readonly name: string }[] = []

  constructor(world: World) {
    this.#world = world
  }

  /** Makes a call, or makes it again. What it came to: a status, or `no answer`. */
  async make(call: Call): Promise<string> {
    const isAgain = this.doubtful.includes(call)
    this.doubtful = this.doubtful.filter((one) => one !== call)
    call.before?.()
    const answer = await this.#send(call)
    const body = answer === undefined ? undefined : readJson(answer)
    if (answer === undefined || answer.status >= 500 || isAboutTime(answer.status, body)) {
      if (call.once) this.doubtful.push(call)
      return answer === undefined ? 'no answer' : String(answer.status)
    }
    if (answer.status < 300 && call.once) await this.#keepPromise(call)
    call.answered?.(answer.status, body)
    return `${answer.status}${isAgain ? ' at last' : ''}`
  }

  /** Insists that every call that was answered with success is in the database of who answered. */
  async insistOnPromises(): Promise<void> {
    for (const party of new Set(this.promised.map((one) => one.party))) {
      const own = this.promised.filter((one) => one.party === party)
      const rows = await this.#world
        .rows(party)
        .rows<{ id: string }>('select request_id as id from seen_request where request_id = any($1) and status < 300', [
          own.map(({ id }) => id),
        ])
      const kept = new Set(rows.map(({ id }) => id))
      const lost = own.find(({ id }) => !kept.has(id))
      if (lost !== undefined) throw new Violation(`${lost.name} was acknowledged by ${party} and is lost`)
    }
  }

  async #keepPromise({ party, id, name }: Call): Promise<void> {
    const rows = await this.#world
      .rows(party)
      .rows('select 1 from seen_request where request_id = $1 and status between 200 and 299', [id])
    if (rows.length === 0) throw new Violation(`${name} was acknowledged by ${party} and is not in its database`)
    this.promised.push({ party, id, name })
  }

  async #send(call: Call): Promise<Arrival | undefined> {
    const party = this.#world.party(call.party)
    const proved = call.prove === undefined ? this.#headers(call) : await call.prove()
    if (proved === undefined || !party.isUp) return undefined
    const body = call.body === undefined ? undefined : JSON.stringify(call.body)
    return party.inject(call.method, call.path, { 'idempotency-key': call.id, ...proved }, body)
  }

  #headers({ party, path, patient, id }: Call): Readonly<Record<string, string>> | undefined {
    if (patient === undefined) {
      const proof = this.#world.operators.proofFor(this.#world.party(party), path)
      return proof && { ...AS_OPERATOR, ...proof }
    }
    return {
      'content-type': 'application/json',
      'x-auth-token': this.tokens.get(patient) ?? '',
      'request-id': id,
      timestamp: this.#world.time.now().toISOString(),
      'x-cm-id': 'sbx',
    }
  }
}

/** The clock of the party that answered is wrong: the same call is good once it is right again. */
function isAboutTime(status: number, body: unknown): boolean {
  return (status === 400 || status === 401) && /TIMESTAMP is \d|expired|not yet/i.test(JSON.stringify(body ?? ''))
}

function readJson({ body }: Arrival): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown
  } catch {
    return undefined
  }
}
