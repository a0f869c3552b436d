import { sql } from 'kysely'
import { type Replay, stands } from '../audit/replay.ts'

/**
 * Consents that a user of records has, as the log says they stand. `use` goes one way, from `none` over `granted` to `ended`, whatever
 * comes out of order.
 */
export const REPLAYS: readonly Replay[] = [
  {
    kind: 'received consent',
    named: 'by id',
    about: 'patient',
    says: {
      'hiu.artefact-told': stands({ use: 'none' }),
      'hiu.artefact-granted': stands({ use: 'granted' }),
      'hiu.artefact-ended': stands({ use: 'ended' }),
    },
    rows: ({ patient, bucket }) =>
      sql`select id::text, xmin::text as version,
        case when status = 'granted' then 'granted' when status in ('revoked', 'expired') then 'ended' else 'none' end as use
        from hiu_artefact where bucket = ${bucket} and patient = ${patient}`,
  },
]
