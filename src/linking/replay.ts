import { sql } from 'kysely'
import { type Replay, stands, textOf } from '../audit/replay.ts'

/** Who is told of new links and records of a patient, as the log says it. */
export const REPLAYS: readonly Replay[] = [
  {
    kind: 'subscription',
    named: 'by id',
    about: 'patient',
    says: {
      'linking.subscription-requested': (event) => stands({ status: 'requested', hiu: textOf(event, 'hiu') })(event),
      'linking.subscription-granted': (event) => stands({ status: 'granted', hiu: textOf(event, 'hiu') })(event),
      'linking.subscription-denied': stands({ status: 'denied' }),
      'linking.subscription-revoked': stands({ status: 'revoked' }),
      'linking.subscription-resumed': stands({ status: 'granted' }),
    },
    rows: ({ patient, bucket }) =>
      sql`select id::text, xmin::text as version, status, hiu from subscription where bucket = ${bucket} and patient = ${patient}`,
  },
]
