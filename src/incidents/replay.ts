import { sql } from 'kysely'
import { type Replay, stands } from '../audit/replay.ts'
import { pseudonym } from '../db/veil.ts'

/** Records that were opened without consent, as the log says it stands with them. */
export const REPLAYS: readonly Replay[] = [
  {
    kind: 'access in an emergency',
    named: 'by id',
    about: 'patient',
    says: {
      'emergency.opened': stands({ status: 'open' }),
      'emergency.ended': stands({ status: 'ended' }),
      'emergency.reviewed': stands({ status: 'reviewed' }),
    },
    rows: ({ patient, bucket, ids }) =>
      sql`select id::text, xmin::text as version, status from emergency_access where bucket = ${bucket} 
        and patient_reference = ${pseudonym(patient)} and (status = 'open' or id = any(${ids}::uuid[]))`,
  },
]
