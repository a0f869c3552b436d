import { z } from 'zod'
import { callParty, refusedWords } from '../sandbox/client.ts'
import type { NetworkParty } from '../sandbox/network-file.ts'

const contextState = z.looseObject({
  careContextReference: z.string(),
  status: z.enum(['received', 'missing', 'errored']),
  documents: z.number(),
  reason: z.string().optional(),
})
const transfer = z.looseObject({
  status: z.string(),
  transaction: z.string().optional(),
  reason: z.string().optional(),
  pagesMissing: z.number(),
  careContexts: z.array(contextState),
})
const consent = z.looseObject({
  id: z.string(),
  status: z.string(),
  exchangeId: z.string().optional(),
  reason: z.string().optional(),
  artefacts: z.array(
    z.looseObject({
      id: z.string(),
      status: z.string(),
      hip: z.looseObject({ id: z.string() }).optional(),
      consentDetail: z.unknown().optional(),
      signature: z.string().optional(),
      erasedAt: z.string().optional(),
      transfers: z.array(transfer),
    }),
  ),
})
export type DeskConsent = z.output<typeof consent>

const record = z.looseObject({
  id: z.string(),
  artefact: z.string(),
  status: z.enum(['held', 'quarantined']),
  hip: z.string(),
  hiType: z.string(),
  date: z.string(),
  careContextReference: z.string(),
  sha256: z.string(),
  reason: z.string().optional(),
})
export type DeskRecord = z.output<typeof record>
const recordsPage = z.object({ records: z.array(record), next: z.string().optional() })

const row = z.looseObject({
  what: z.string(),
  value: z.string().optional(),
  flag: z.string().optional(),
  rows: z
    .array(z.looseObject({ what: z.string(), value: z.string().optional(), flag: z.string().optional() }))
    .optional(),
})
const shown = z.looseObject({
  display: z
    .looseObject({
      title: z.string(),
      date: z.string().optional(),
      authors: z.array(z.string()),
      custodian: z.string().optional(),
      sections: z.array(z.looseObject({ title: z.string(), rows: z.array(row) })),
    })
    .optional(),
})
export type ShownRow = z.output<typeof row>

const disclosure = z.looseObject({
  consentId: z.string(),
  careContextReference: z.string(),
  hiType: z.string(),
  status: z.string(),
  narrowed: z.boolean(),
  documentHash: z.string(),
  event: z.string().nullable(),
})
const artefact = z.looseObject({ consentId: z.string(), status: z.string() })
const erasure = z.looseObject({
  artefact: z.string(),
  reason: z.string(),
  documents: z.number(),
  sha256: z.array(z.string()),
})
const logged = z.array(
  z.looseObject({
    id: z.string(),
    event: z.looseObject({ type: z.string(), subject: z.string().optional() }).optional(),
  }),
)

export type Person = { readonly name: string; readonly role: string }

/** What staff do at their own facility: by its native API, with the operator's token. */
export function makeDesk(party: NetworkParty) {
  const get = (path: string): Promise<unknown> => callParty(party, path)
  return {
    party,
    ask: async (body: object): Promise<string> =>
      z.object({ id: z.string() }).parse(await callParty(party, '/v1/consent-requests', { body })).id,
    consent: async (id: string): Promise<DeskConsent> => consent.parse(await get(`/v1/consent-requests/${id}`)),
    /** All of them, page after page. */
    records: async (patient: string): Promise<readonly DeskRecord[]> => {
      const all: DeskRecord[] = []
      for (let next: string | undefined = ''; next !== undefined; ) {
        const words = new URLSearchParams({ patient, limit: '100', ...(next === '' ? {} : { before: next }) })
        const page = recordsPage.parse(await get(`/v1/records?${words.toString()}`))
        all.push(...page.records)
        next = page.next
      }
      return all
    },
    view: async (id: string, person: Person, purpose: string) =>
      shown.parse(await callParty(party, `/v1/records/${id}/view`, { body: { person, purpose } })).display,
    /** The words of the refusal, when the facility refuses as it should. */
    viewRefused: (id: string, person: Person, purpose: string): Promise<string | undefined> =>
      refusedWords(() => callParty(party, `/v1/records/${id}/view`, { body: { person, purpose } })),
    fetchRefused: (id: string, body: object): Promise<string | undefined> =>
      refusedWords(() => callParty(party, `/v1/consent-requests/${id}/fetch`, { body })),
    artefacts: async () =>
      z.object({ artefacts: z.array(artefact) }).parse(await get('/v1/artefacts?limit=100')).artefacts,
    disclosures: async (patient: string) =>
      z
        .object({ disclosures: z.array(disclosure) })
        .parse(await get(`/v1/disclosures?limit=100&patient=${encodeURIComponent(patient)}`)).disclosures,
    erasures: async () => z.object({ erasures: z.array(erasure) }).parse(await get('/v1/erasures?limit=100')).erasures,
    events: async (patient: string) =>
      logged.parse(await get(`/v1/events?limit=100&patient=${encodeURIComponent(patient)}`)),
    receipt: (event: string, patient: string): Promise<unknown> =>
      get(`/v1/receipts/${event}?patient=${encodeURIComponent(patient)}`),
    addPatient: (body: object): Promise<unknown> => callParty(party, '/v1/patients', { body }),
    link: (reference: string): Promise<unknown> =>
      callParty(party, `/v1/patients/${encodeURIComponent(reference)}/link`, { body: {} }),
    linkedContexts: async (reference: string) =>
      z
        .looseObject({
          linkedCount: z.number(),
          linking: z.array(
            z.looseObject({ status: z.string(), error: z.looseObject({ message: z.string() }).optional() }),
          ),
        })
        .parse(await get(`/v1/patients/${encodeURIComponent(reference)}`)),
  }
}

export type Desk = ReturnType<typeof makeDesk>
