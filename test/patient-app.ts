import assert from 'node:assert/strict'
import { at, listAt, textAt, textsAt } from './json-path.ts'
import type { Answer, TestNetwork } from './network.ts'

export type Grant = {
  readonly hip: string
  readonly hiTypes: readonly string[]
  readonly careContexts: readonly object[]
  readonly permission: unknown
}
type Reach = Pick<TestNetwork, 'asPatient' | 'patientToken'>
const CM = '/api/hiecm'

/** The patient's own app, by ABDM's patient-side calls. */
export class PatientApp {
  readonly #network: Reach
  readonly #token: string
  constructor(network: Reach, token: string) {
    this.#network = network
    this.#token = token
  }

  static async open(network: Reach, patient: string): Promise<PatientApp> {
    return new PatientApp(network, await network.patientToken(patient))
  }

  call(path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.#network.asPatient(this.#token, path, body, headers)
  }

  async request(id: string): Promise<unknown> {
    const { status, body } = await this.call(`${CM}/consent/v3/request/${id}`)
    assert.equal(status, 200, JSON.stringify(body))
    return body
  }

  /** All care contexts that are linked at a HIP, as an approval names them. */
  async contexts(hip: string): Promise<readonly object[]> {
    const { body } = await this.call(`${CM}/hip/v3/link/patient/links?limit=100`)
    const links = listAt(body, 'patient.links').filter((link) => at(link, 'hip.id') === hip)
    return links.flatMap((link) =>
      textsAt(link, 'careContexts', 'referenceNumber').map((careContextReference) => ({
        patientReference: textAt(link, 'referenceNumber'),
        careContextReference,
      })),
    )
  }

  /** Approves; with nothing said, all that was asked for, of every linked context at `hip`. */
  async approve(request: string, hip: string, narrowed: Partial<Omit<Grant, 'hip'>> = {}): Promise<Answer> {
    const asked = await this.request(request)
    const consent = {
      hip: { id: hip },
      hiTypes: narrowed.hiTypes ?? listAt(asked, 'hiTypes'),
      careContexts: narrowed.careContexts ?? (await this.contexts(hip)),
      permission: narrowed.permission ?? at(asked, 'permission'),
    }
    return this.call(`${CM}/consent/v3/request/${request}/approve`, { consents: [consent] })
  }

  async grant(request: string, hip: string, narrowed: Partial<Omit<Grant, 'hip'>> = {}): Promise<string> {
    const { status, body } = await this.approve(request, hip, narrowed)
    assert.equal(status, 202, JSON.stringify(body))
    const [id, ...more] = textsAt(body, 'consentIds', 'id')
    assert.ok(id !== undefined && more.length === 0)
    return id
  }

  async revoke(...consents: readonly string[]): Promise<Answer> {
    return this.call(`${CM}/consent/v3/revoke`, { consents })
  }
}
