import { sql } from 'kysely'
import type { Tx } from '../db/tx.ts'
import type { ListPlace } from '../kernel/list-place.ts'
import type { Omissions } from './transfer.ts'

export const SERVED_FILTERS = ['all', 'open', 'narrowed', 'failed', 'refused'] as const
export type ServedFilter = (typeof SERVED_FILTERS)[number]

/** A request for health information as we served it, with how its documents fared. */
export type Served = {
  readonly transactionId: string
  readonly consentId: string
  readonly patient: string
  readonly hiu: string
  readonly status: 'collecting' | 'sending' | 'ended' | 'refused'
  readonly range: { readonly from: Date; readonly to: Date }
  readonly receivedAt: Date
  readonly endedAt?: Date
  readonly outcome?: string
  /** Documents: taken by the requester, cut down before they were sent, not delivered, held back. */
  readonly sent: number
  readonly narrowed: number
  readonly failed: number
  readonly withheld: number
  /** Why nothing, or not all, came of a care context. */
  readonly omissions: Omissions
  readonly refusal?: string
}

type Row = {
  readonly transaction_id: string
  readonly consent_id: string
  readonly abha_address: string
  readonly hiu: string
  readonly status: string
  readonly range_from: Date
  readonly range_to: Date
  readonly received_at: Date
  readonly ended_at: Date | null
  readonly outcome: string | null
  readonly omissions: unknown
  readonly refusal: string | null
  readonly sent: string
  readonly narrowed: string
  readonly failed: string
  readonly withheld: string
}

const HAVING = {
  all: sql`true`,
  open: sql`r.status in ('collecting', 'sending')`,
  narrowed: sql`count(*) filter (where p.narrowed or p.status = 'withheld') > 0 or r.omissions is not null`,
  failed: sql`count(*) filter (where p.status = 'failed') > 0 or r.outcome = 'FAILED'`,
  refused: sql`r.status = 'refused'`,
} as const satisfies Record<ServedFilter, unknown>

/** Requests that we served, latest first; `before` is the place of the last one of the page before. */
export async function listServed(
  tx: Tx,
  filter: {
    readonly what: ServedFilter
    readonly consent?: string | undefined
    readonly before?: ListPlace | undefined
    readonly limit: number
  },
): Promise<readonly Served[]> {
  const { date = null, id = null } = filter.before ?? {}
  const consent = filter.consent ?? null
  const { rows } = await sql<Row>`
    /* all buckets: the facility's list of the requests it served */
    select r.transaction_id, r.consent_id, r.abha_address, r.hiu, r.status, r.range_from, r.range_to, r.received_at, r.ended_at,
      r.outcome, r.omissions, r.refusal,
      count(*) filter (where p.status = 'sent') as sent, count(*) filter (where p.narrowed) as narrowed,
      count(*) filter (where p.status = 'failed') as failed, count(*) filter (where p.status = 'withheld') as withheld
    from hip_request r left join hip_page p on p.bucket = r.bucket and p.transaction_id = r.transaction_id
    where (${date}::timestamptz is null or (r.received_at, r.transaction_id) < (${date}::timestamptz, ${id}::uuid))
      and (${consent}::uuid is null or r.consent_id = ${consent}::uuid)
    group by r.bucket, r.transaction_id having ${HAVING[filter.what]}
    order by r.received_at desc, r.transaction_id desc limit ${filter.limit}`.execute(tx.db)
  return rows.map(servedOf)
}

function servedOf(row: Row): Served {
  const refusal = row.refusal === null ? undefined : (JSON.parse(row.refusal) as { readonly detail?: string }).detail
  return {
    transactionId: row.transaction_id,
    consentId: row.consent_id,
    patient: row.abha_address,
    hiu: row.hiu,
    status: row.status as Served['status'],
    range: { from: row.range_from, to: row.range_to },
    receivedAt: row.received_at,
    sent: Number(row.sent),
    narrowed: Number(row.narrowed),
    failed: Number(row.failed),
    withheld: Number(row.withheld),
    omissions: (row.omissions ?? {}) as Omissions,
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
    ...(row.outcome === null ? {} : { outcome: row.outcome }),
    ...(refusal === undefined ? {} : { refusal }),
  }
}
