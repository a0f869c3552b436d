import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { callParty, refusedWords } from '../sandbox/client.ts'
import type { NetworkParty } from '../sandbox/network-file.ts'

const CM = '/api/hiecm'

const requests = z.object({
  requests: z.array(
    z.looseObject({
      requestId: z.string(),
      status: z.string(),
      hiu: z.looseObject({ id: z.string(), name: z.string().nullish() }),
      requester: z.looseObject({ name: z.string() }),
      purpose: z.looseObject({ code: z.string(), text: z.string().nullish() }),
      hiTypes: z.array(z.string()),
      permission: z.looseObject({ dateRange: z.object({ from: z.string(), to: z.string() }), dataEraseAt: z.string() }),
    }),
  ),
})
export type AskedConsent = z.output<typeof requests>['requests'][number]

export type GrantItem = {
  readonly hip: { readonly id: string; readonly name: string }
  readonly hiTypes: readonly string[]
  readonly careContexts: readonly { readonly patientReference: string; readonly careContextReference: string }[]
  readonly permission: object
}

const looks = z.array(
  z.looseObject({
    id: z.string(),
    at: z.string(),
    event: z.looseObject({
      actor: z.looseObject({ person: z.object({ name: z.string(), role: z.string() }).optional() }),
      subject: z.string().optional(),
      facilityName: z.string().optional(),
      purpose: z.string().optional(),
    }),
  }),
)

const events = z.array(
  z.looseObject({
    id: z.string(),
    at: z.string().optional(),
    event: z.looseObject({ type: z.string(), subject: z.string().optional() }).optional(),
  }),
)
export type PatientEvent = z.output<typeof events>[number]

const sharing = z.object({
  items: z.array(z.looseObject({ id: z.string(), status: z.string(), erasedAt: z.string().optional() })),
})

/** The patient's phone: what a PHR app does, by ABDM's patient-side calls and our native ones. */
export function makePatientApp(exchange: NetworkParty, token: string, now: () => Date) {
  const call = async (path: string, body?: unknown): Promise<unknown> => {
    const headers = {
      'x-auth-token': token,
      'REQUEST-ID': randomUUID(),
      'X-CM-ID': exchange.id,
      TIMESTAMP: now().toISOString(),
    }
    return callParty(exchange, path, { headers, anonymous: true, ...(body === undefined ? {} : { body }) })
  }
  return {
    /** Consent requests that wait for a decision. */
    waiting: async (): Promise<readonly AskedConsent[]> =>
      requests.parse(await call(`${CM}/consent/v3/request?limit=20&offset=0&status=REQUESTED`)).requests,
    approve: async (requestId: string, consents: readonly GrantItem[]): Promise<readonly string[]> =>
      z
        .object({ consentIds: z.array(z.object({ id: z.string() })) })
        .parse(await call(`${CM}/consent/v3/request/${requestId}/approve`, { consents }))
        .consentIds.map(({ id }) => id),
    /** The refusal's words, when the exchange refuses as it should. */
    approvalRefused: (requestId: string, consents: readonly GrantItem[]): Promise<string | undefined> =>
      refusedWords(() => call(`${CM}/consent/v3/request/${requestId}/approve`, { consents })),
    revoke: (consents: readonly string[]): Promise<unknown> => call(`${CM}/consent/v3/revoke`, { consents }),
    /** Scans the code of a counter: shows the profile there. */
    share: (counter: { readonly hipId: string; readonly context: string }, patient: object): Promise<unknown> =>
      call(`${CM}/patient-share/v3/share`, { intent: 'PROFILE_SHARE', metaData: counter, profile: { patient } }),
    looks: async () => looks.parse(await call('/v1/me/looks')),
    events: async (): Promise<readonly PatientEvent[]> => events.parse(await call('/v1/me/events?limit=100')),
    sharing: async () => sharing.parse(await call('/v1/me/sharing')).items,
    receipt: (event: string): Promise<unknown> => call(`/v1/me/receipts/${event}`),
  }
}

export type PatientApp = ReturnType<typeof makePatientApp>
