import assert from 'node:assert/strict'
import { at, listAt, textAt } from './json-path.ts'
import type { Person, TestNetwork } from './network.ts'
import { daysFromNow, LONG_AGO } from './people.ts'
import { waitFor } from './wait.ts'

const GENDERS = { M: 'male', F: 'female', O: 'other' } as const

export type DeskAsk = {
  readonly patient: string
  readonly hiTypes: readonly string[]
  readonly dataEraseAt?: Date
  readonly hip?: string
  readonly frequency?: object
}

/** The desk of a facility of ours: what its hospital software and staff call. */
export class FacilityDesk {
  readonly #network: Pick<TestNetwork, 'operator'>
  readonly id: string
  /** How long it waits for others, where that is longer than usual. */
  readonly #patienceMs: number | undefined
  constructor(network: Pick<TestNetwork, 'operator'>, id: string, patienceMs?: number) {
    this.#network = network
    this.id = id
    this.#patienceMs = patienceMs
  }

  async call(path: string, body?: unknown, expected: readonly number[] = [200, 201, 202]): Promise<unknown> {
    const answer = await this.#network.operator(this.id, path, body)
    assert.ok(expected.includes(answer.status), `${this.id} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  async addPatient(reference: string, person: Person): Promise<void> {
    const { name, gender, birthDate, mobile, abhaAddress, abhaNumber } = person
    await this.call('/v1/patients', {
      reference,
      name,
      gender: GENDERS[gender],
      birthDate,
      mobile,
      abhaAddress,
      abhaNumber,
    })
  }

  addDocument(reference: string, careContextReference: string, document: unknown): Promise<unknown> {
    const bytes = typeof document === 'string' ? document : JSON.stringify(document)
    return this.call(`/v1/patients/${encodeURIComponent(reference)}/records`, {
      careContextReference,
      document: Buffer.from(bytes).toString('base64'),
    })
  }

  /** Links all of a patient's care contexts and waits until `count` are. */
  async link(reference: string, count: number): Promise<void> {
    await this.call(`/v1/patients/${encodeURIComponent(reference)}/link`, {})
    await waitFor(
      `${count} linked care contexts`,
      async () => {
        const body = await this.call(`/v1/patients/${encodeURIComponent(reference)}`)
        return Number(at(body, 'linkedCount')) >= count
      },
      this.#patienceMs,
    )
  }

  /** Asks for consent; waits until the exchange has taken it. Gives our id and the exchange's. */
  async ask(ask: DeskAsk): Promise<{ readonly own: string; readonly request: string }> {
    const { hip, dataEraseAt = daysFromNow(30), frequency, ...rest } = ask
    const terms = {
      purpose: 'CAREMGT',
      from: LONG_AGO.toISOString(),
      to: daysFromNow(-1).toISOString(),
      dataEraseAt: dataEraseAt.toISOString(),
      requester: { name: 'Dr. Farida Khan', registrationNumber: 'KA-21-1521' },
    }
    const own = textAt(
      await this.call('/v1/consent-requests', {
        ...rest,
        ...terms,
        ...(hip === undefined ? {} : { hip: { id: hip } }),
        ...(frequency === undefined ? {} : { frequency }),
      }),
      'id',
    )
    const request = await waitFor(
      'the exchange to take the request',
      async () => {
        const consent = await this.consent(own)
        const [id, status] = [at(consent, 'exchangeId'), at(consent, 'status')]
        assert.ok(status !== 'failed' || id !== undefined, `the exchange did not take it: ${JSON.stringify(consent)}`)
        return status !== 'asked' && typeof id === 'string' && id
      },
      this.#patienceMs,
    )
    return { own, request }
  }

  consent(own: string): Promise<unknown> {
    return this.call(`/v1/consent-requests/${own}`)
  }

  /** Waits until the newest data request of the only artefact ended in one of these ways. */
  async transferred(own: string, statuses: readonly string[] = ['complete']): Promise<unknown> {
    let last: unknown
    try {
      return await waitFor(
        'the data',
        async () => {
          last = await this.consent(own)
          const found = listAt(last, 'artefacts')
            .flatMap((artefact) => listAt(artefact, 'transfers'))
            .find((transfer) => statuses.includes(String(at(transfer, 'status'))))
          return found ?? undefined
        },
        this.#patienceMs,
      )
    } catch (error) {
      throw new Error(
        `no transfer is ${statuses.join(' or ')}: ${JSON.stringify(listAt(last, 'artefacts').map((artefact) => at(artefact, 'transfers')))}`,
        { cause: error },
      )
    }
  }

  async records(patient: string): Promise<readonly unknown[]> {
    return allPages(async (before) => {
      const words = new URLSearchParams({ patient, limit: '100', ...before })
      return this.call(`/v1/records?${words.toString()}`)
    })
  }

  /** Shows everything of a patient to a named person. */
  async view(patient: string): Promise<readonly unknown[]> {
    return allPages((before) =>
      this.call('/v1/records/view', {
        patient,
        person: { name: 'Dr. Farida Khan', role: 'physician' },
        purpose: 'CAREMGT',
        ...before,
      }),
    )
  }

  async disclosures(patient: string): Promise<readonly unknown[]> {
    return listAt(await this.call(`/v1/disclosures?patient=${encodeURIComponent(patient)}&limit=100`), 'disclosures')
  }

  async erasures(): Promise<readonly unknown[]> {
    return listAt(await this.call('/v1/erasures'), 'erasures')
  }
}

/** The records of all pages of an answer. */
async function allPages(ask: (before: { readonly before?: string }) => Promise<unknown>): Promise<readonly unknown[]> {
  const all: unknown[] = []
  let next: unknown
  do {
    const page = await ask(typeof next === 'string' ? { before: next } : {})
    all.push(...listAt(page, 'records'))
    next = at(page, 'next')
  } while (next !== undefined)
  return all
}
