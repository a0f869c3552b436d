import { sql } from 'kysely'
import { type Replay, stands } from '../audit/replay.ts'

/** Who operates a party, as the log says it. */
export const REPLAYS: readonly Replay[] = [
  {
    kind: 'operator',
    named: 'by id',
    about: 'nobody',
    says: {
      'operator.enrolled': stands({ status: 'active' }),
      'operator.renewed': stands({ status: 'active' }),
      'operator.ended': stands({ status: 'ended' }),
    },
    rows: () => sql`select name as id, xmin::text as version, status from party_operator`,
  },
]
