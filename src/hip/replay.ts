import { sql } from 'kysely'
import { type Replay, stands, textOf } from '../audit/replay.ts'

/** Consents that a holder keeps, as the log says they stand. One whose end alone was told names nobody, and gives nothing. */
export const REPLAYS: readonly Replay[] = [
  {
    kind: 'held consent',
    named: 'by id',
    about: 'patient',
    says: {
      'hip.artefact-received': stands({ status: 'GRANTED' }),
      'hip.artefact-ended': (event) => stands({ status: textOf(event, 'status') })(event),
    },
    rows: ({ ids }) =>
      sql`select consent_id::text as id, xmin::text as version, status from hip_artefact
        where consent_id = any(${ids}::uuid[]) /* all buckets: ids of another party name no bucket of ours */`,
  },
]
