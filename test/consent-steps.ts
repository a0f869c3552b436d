import assert from 'node:assert/strict'
import type { Outgoing } from '../src/abdm/send.ts'
import type { AbhaAddress } from '../src/kernel/id.ts'
import { ASHA, CLINIC, HOSPITAL, LAB, type Reply, type TestExchange } from './consent-exchange.ts'

export const DAY_MS = 86_400_000
export const VISITS = [
  { patientReference: 'MRN-1', careContextReference: 'visit-1' },
  { patientReference: 'MRN-1', careContextReference: 'visit-2' },
]
export const REPORT = { patientReference: 'L-77', careContextReference: 'report-1' }

/** Dates of the records in every consent here. */
export const RANGE = { from: '2024-01-01T00:00:00.000Z', to: '2026-11-01T00:00:00.000Z' }

type Frequency = { readonly unit: string; readonly value: number; readonly repeats: number }

export function only(sent: readonly Outgoing[], path: string): Outgoing {
  const found = sent.filter((message) => message.path === path)
  assert.equal(found.length, 1, `one ${path} among ${sent.map((message) => message.path).join(', ')}`)
  return found[0] as Outgoing
}

export const bodyOf = (message: Outgoing) => message.body as Record<string, Record<string, unknown>>

export const errorCode = (reply: Reply): unknown => (reply.body['error'] as { code?: string } | undefined)?.code
export const errorMessage = (reply: Reply): string =>
  String((reply.body['error'] as { message?: string } | undefined)?.message)

/** The steps of a consent as the parties take them, over HTTP. */
export function consentSteps(exchange: () => TestExchange) {
  const inDays = (days: number): string => new Date(exchange().clock.now().getTime() + days * DAY_MS).toISOString()

  function permission(): {
    accessMode: string
    dateRange: { from: string; to: string }
    dataEraseAt: string
    frequency: { unit: string; value: number; repeats: number }
  } {
    return {
      accessMode: 'VIEW',
      dateRange: { ...RANGE },
      dataEraseAt: inDays(30),
      frequency: { unit: 'HOUR', value: 1, repeats: 2 },
    }
  }

  function ask(change: object = {}): { consent: Record<string, unknown> } {
    return {
      consent: {
        purpose: { text: 'for care', code: 'CAREMGT' },
        patient: { id: ASHA },
        hiu: { id: CLINIC },
        requester: {
          name: 'Dr. Meera Iyer',
          identifier: { value: 'KA-1234', type: 'REGNO', system: 'https://www.mciindia.org' },
        },
        hiTypes: ['OPConsultation', 'Prescription', 'DiagnosticReport'],
        permission: permission(),
        ...change,
      },
    }
  }

  const init = (body: object = ask()): Promise<Reply> =>
    exchange().asBridge('bridge-clinic', '/consent/v3/request/init', body)

  /** Asks, and gives the id that on-init brought. */
  async function requested(body: object = ask()): Promise<string> {
    const reply = await init(body)
    assert.equal(reply.status, 202)
    const message = only(await exchange().takeSent(), '/api/v3/hiu/consent/request/on-init')
    assert.deepEqual(bodyOf(message)['response'], { requestId: reply.requestId })
    const id = bodyOf(message)['consentRequest']?.['id']
    assert.equal(typeof id, 'string', JSON.stringify(message.body))
    return id as string
  }

  const item = (change: object = {}): object => ({
    hip: { id: HOSPITAL },
    hiTypes: ['OPConsultation'],
    careContexts: [VISITS[0]],
    permission: permission(),
    ...change,
  })
  const labItem = (change: object = {}): object => ({
    hip: { id: LAB },
    hiTypes: ['DiagnosticReport'],
    careContexts: [REPORT],
    permission: permission(),
    ...change,
  })
  const approve = (id: string, consents: readonly object[], who: AbhaAddress = ASHA): Promise<Reply> =>
    exchange().asPatient(who, 'POST', `/consent/v3/request/${id}/approve`, { consents })

  /** Asks and grants; gives the artefact ids in the order of the items. */
  async function granted(
    items: readonly object[] = [item()],
    body: object = ask(),
  ): Promise<{ request: string; consents: readonly string[]; sent: readonly Outgoing[] }> {
    const request = await requested(body)
    const reply = await approve(request, items)
    assert.equal(reply.status, 202, JSON.stringify(reply.body))
    const consents = (reply.body['consentIds'] as { id: string }[]).map(({ id }) => id)
    return { request, consents, sent: await exchange().takeSent() }
  }

  /** A consent that the hospital has acknowledged, unless told otherwise. */
  async function consented(
    options: { readonly frequency?: Frequency; readonly acknowledge?: boolean; readonly lifeMs?: number } = {},
  ): Promise<string> {
    const permission = {
      accessMode: 'VIEW',
      dateRange: RANGE,
      dataEraseAt: new Date(exchange().clock.now().getTime() + (options.lifeMs ?? 30 * DAY_MS)).toISOString(),
      frequency: options.frequency ?? { unit: 'HOUR', value: 1, repeats: 100 },
    }
    const hiTypes = ['OPConsultation']
    const id = await requested({
      consent: {
        purpose: { text: '', code: 'CAREMGT' },
        patient: { id: ASHA },
        hiu: { id: CLINIC },
        requester: { name: 'Dr. Meera Iyer' },
        hiTypes,
        permission,
      },
    })
    const careContexts = [{ patientReference: 'MRN-1', careContextReference: 'visit-1' }]
    const reply = await exchange().asPatient(ASHA, 'POST', `/consent/v3/request/${id}/approve`, {
      consents: [{ hip: { id: HOSPITAL }, hiTypes, careContexts, permission }],
    })
    const consentId = (reply.body['consentIds'] as { id: string }[])[0]?.id ?? ''
    const sent = await exchange().takeSent()
    if (options.acknowledge !== false) {
      const requestId = sent.find(({ path }) => path.endsWith('hip/notify'))?.requestId
      await exchange().asBridge('bridge-hip', '/consent/v3/request/hip/on-notify', {
        acknowledgement: { status: 'OK', consentId },
        response: { requestId },
      })
    }
    return consentId
  }

  return { inDays, permission, ask, init, requested, item, labItem, approve, granted, consented }
}
