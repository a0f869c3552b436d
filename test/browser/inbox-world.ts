import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { askConsent, type ConsentProposal } from '../../src/consent/commands.ts'
import { generateSigningKey, importSigningKey } from '../../src/crypto/signature.ts'
import { type Tx, transact } from '../../src/db/tx.ts'
import type { HiType } from '../../src/fhir/hi-type.ts'
import type { AbhaAddress, FacilityId } from '../../src/kernel/id.ts'
import { must } from '../../src/kernel/refusal.ts'
import { addLinks } from '../../src/linking/link-commands.ts'
import { requestSubscription } from '../../src/linking/subscription-commands.ts'
import { registerBridge } from '../../src/partners/commands.ts'
import { textAt } from '../json-path.ts'
import { waitFor } from '../wait.ts'
import { ASHA, type Visitor, WebWorld } from './web-world.ts'

const DAY_MS = 86_400_000
const PATIENT = ASHA.abhaAddress as AbhaAddress
const HOSPITAL = 'IN2710000011' as FacilityId
const LAB = 'IN2710000033' as FacilityId
const CLINIC = 'IN2910000022' as FacilityId
const INSURER = 'IN2710000055' as FacilityId
const OPERATOR = { kind: 'operator', id: 'test' } as const

const SERVICES = [
  [HOSPITAL, 'Tarangini Hospital, Pune', 'hip', 'Hospital'],
  [LAB, 'Pratibimb Diagnostics, Pune', 'hip', 'Diagnostic Laboratory'],
  [CLINIC, 'Vanashree Medical Centre, Bengaluru', 'hiu', 'Hospital'],
  [INSURER, 'Chhatraksha Health Insurance, Mumbai', 'hiu', 'Insurance'],
] as const

const RECORDS: readonly (readonly [FacilityId, string, HiType, string])[] = [
  [HOSPITAL, 'V-1', 'OPConsultation', 'Doctor visit of 12 March 2024'],
  [HOSPITAL, 'V-1', 'Prescription', 'Doctor visit of 12 March 2024'],
  [HOSPITAL, 'V-2', 'OPConsultation', 'Doctor visit of 3 September 2025'],
  [HOSPITAL, 'V-2', 'Prescription', 'Doctor visit of 3 September 2025'],
  [HOSPITAL, 'V-3', 'Prescription', 'Prescription of 20 June 2026'],
  [HOSPITAL, 'V-0', 'OPConsultation', 'Doctor visit of 4 May 2015'],
  [LAB, 'R-1', 'DiagnosticReport', 'Report of 14 March 2024'],
  [LAB, 'R-2', 'DiagnosticReport', 'Report of 21 June 2026'],
  [LAB, 'R-3', 'DiagnosticReport', 'Report without a day'],
]

export const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true })
export const link = (page: Page, name: string | RegExp) => page.getByRole('link', { name })

/** An exchange with a patient whose records are linked, and two facilities that ask. */
export class InboxWorld {
  readonly web: WebWorld
  /** Cookies of one signed-in browser: signing in itself is another journey. */
  #state: Awaited<ReturnType<Visitor['context']['storageState']>> | undefined

  private constructor(web: WebWorld) {
    this.web = web
  }

  static async start(): Promise<InboxWorld> {
    const world = new InboxWorld(await WebWorld.start())
    await world.web.network.enrol(ASHA)
    await world.#inTx(settle)
    return world
  }

  stop(): Promise<void> {
    return this.web.stop()
  }

  #inTx<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return transact(this.web.network.exchange.running.machine, work)
  }

  /** Somebody asks; `windowMs`: how long she may take to decide. */
  async ask(change: Partial<ConsentProposal> = {}, windowMs = 7 * DAY_MS): Promise<string> {
    const needs = {
      exchange: { id: 'sbx', name: 'Test exchange' },
      signingKey: importSigningKey(await generateSigningKey()),
      consentWindowMs: windowMs,
    }
    const proposal: ConsentProposal = {
      purpose: { code: 'CAREMGT' },
      patient: PATIENT,
      hiu: CLINIC,
      careContexts: [],
      requester: { name: 'Dr. Farida Khan', identifier: { value: 'KA-21-1521', type: 'REGNO' } },
      hiTypes: ['OPConsultation', 'Prescription', 'DiagnosticReport'],
      permission: {
        accessMode: 'VIEW',
        dateRange: { from: new Date('2020-01-01T00:00:00+05:30'), to: new Date(Date.now() - DAY_MS) },
        dataEraseAt: new Date(Date.now() + 120 * DAY_MS),
        frequency: { unit: 'HOUR', value: 1, repeats: 2 },
      },
      ...change,
    }
    const asked = await this.#inTx(async (tx) => must(await askConsent(tx, needs, { proposal, requestId: 'test' })))
    return asked.id
  }

  /** An insurer wants bills and reports for a payment. */
  askInsurer(): Promise<string> {
    return this.ask({
      hiu: INSURER,
      purpose: { code: 'HPAYMT' },
      requester: { name: 'Claims desk' },
      hiTypes: ['DiagnosticReport', 'Invoice'],
    })
  }

  async askSubscription(): Promise<void> {
    const period = { from: new Date(), to: new Date(Date.now() + 365 * DAY_MS) }
    const purpose = { code: 'CAREMGT', text: 'Care' } as const
    const request = { purpose, hips: [], categories: ['LINK', 'DATA'] as const, period }
    await this.#inTx(async (tx) => must(await requestSubscription(tx, { hiu: CLINIC, patient: PATIENT, request })))
  }

  /** The state of a request, as a third-party app reads it. */
  async statusOf(request: string): Promise<string> {
    const { body } = await this.#asApp(`/v1/me/requests/${request}`)
    return textAt(body, 'status')
  }

  async decisionOf(request: string): Promise<Decision> {
    const { body } = await this.#asApp(`/v1/me/requests/${request}`)
    return body as Decision
  }

  async #asApp(path: string) {
    const token = await this.web.network.patientToken(PATIENT)
    return this.web.network.asPatient(token, path)
  }

  /** Another device of hers decides. */
  async denyElsewhere(request: string): Promise<void> {
    const token = await this.web.network.patientToken(PATIENT)
    const { status } = await this.web.network.asPatient(token, `/v1/me/requests/${request}/deny`, {})
    assert.equal(status, 200)
  }

  /** A browser in which she is signed in. */
  async visitor(options: Parameters<WebWorld['visitor']>[1] = {}): Promise<Visitor> {
    const visitor = await this.web.visitor('sbx', {
      ...options,
      ...(this.#state === undefined ? {} : { storageState: this.#state }),
    })
    if (this.#state === undefined) {
      await this.#signIn(visitor)
      this.#state = await visitor.context.storageState()
    }
    const language = options.language ?? 'en'
    await visitor.context.addInitScript((chosen) => localStorage.setItem('amanat.language', chosen), language)
    return visitor
  }

  async #signIn({ context }: Visitor): Promise<void> {
    const origin = this.web.originOf('sbx')
    const asked = await context.request.post(`${origin}/v1/sign-in`, { data: { abhaAddress: ASHA.abhaAddress } })
    assert.equal(asked.status(), 202, await asked.text())
    const { id } = (await asked.json()) as { id: string }
    const code = await this.newestCode()
    const done = await context.request.post(`${origin}/v1/sign-in/${id}`, { data: { code } })
    assert.equal(done.status(), 200, await done.text())
  }

  /** Types the code that came, and confirms. */
  async prove({ page }: Visitor): Promise<void> {
    const sheet = page.getByRole('dialog')
    await sheet.getByRole('textbox').fill(await this.newestCode())
    await page.keyboard.press('Enter')
    await sheet.waitFor({ state: 'detached' })
  }

  #texts = 0

  /** The code of the next text message to her. */
  async newestCode(): Promise<string> {
    const texts = async (): Promise<readonly { readonly text: string }[]> => {
      const { body } = await this.web.network.operator('sbx', `/v1/sandbox/text-messages?mobile=${ASHA.mobile}`)
      // That somebody asks is told by text messages, too.
      return (body as readonly { readonly text: string }[]).filter(({ text }) => /\d{6}/.test(text))
    }
    await waitFor('a text message', async () => (await texts()).length > this.#texts)
    const all = await texts()
    this.#texts = all.length
    const [code] = /\d{6}/.exec(all[0]?.text ?? '') ?? []
    assert.ok(code, all[0]?.text)
    return code
  }
}

export type Decision = {
  readonly status: string
  readonly decided?: {
    readonly reason?: string
    readonly notice?: string
    readonly consents: readonly {
      readonly hip: { readonly id: string }
      readonly hiTypes: readonly string[]
      readonly careContexts: number
      readonly from: string
      readonly until: string
    }[]
  }
}

async function settle(tx: Tx): Promise<void> {
  for (const [id, name, role, type] of SERVICES) {
    const services = [{ id, name, roles: [role], isActive: true, facilityTypes: [type] }]
    must(
      await registerBridge(tx, {
        clientId: `bridge-${id}`,
        name,
        url: 'http://127.0.0.1:9',
        services,
        actor: OPERATOR,
      }),
    )
  }
  for (const [hip, careContextReference, hiType, display] of RECORDS) {
    const contexts = [{ patientReference: 'MRN-7', careContextReference, hiType, patientDisplay: 'Asha Rao', display }]
    await addLinks(tx, { patient: PATIENT, hip, contexts, via: 'facility' })
  }
}
