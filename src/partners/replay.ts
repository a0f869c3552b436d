import { sql } from 'kysely'
import { type ReadEvent, type Replay, stands, textOf } from '../audit/replay.ts'

/** An event about a facility says all of how it stands afterwards; one of an earlier release may not. */
const facility = (event: ReadEvent) =>
  stands({ status: textOf(event, 'status'), bridge: textOf(event, 'bridge') })(event)

/** Software and facilities of partners at an exchange, as the log says they stand. */
export const REPLAYS: readonly Replay[] = [
  {
    kind: 'bridge',
    named: 'by id',
    about: 'nobody',
    says: {
      'partners.bridge-registered': stands({ status: 'active' }),
      'partners.bridge-revoked': stands({ status: 'revoked' }),
    },
    rows: () => sql`select client_id as id, xmin::text as version, status from bridge`,
  },
  {
    kind: 'facility',
    named: 'by id',
    about: 'nobody',
    says: {
      'partners.facility-saved': facility,
      'partners.facility-confirmed': facility,
      'partners.facility-shut-out': facility,
      'partners.trial-ended': facility,
    },
    rows: () => sql`select id, xmin::text as version, status, bridge from facility`,
  },
  {
    kind: 'software of a partner',
    named: 'by id',
    about: 'nobody',
    says: {
      'partners.client-registered': stands({ status: 'active' }),
      'partners.client-suspended': stands({ status: 'suspended' }),
      'partners.client-resumed': stands({ status: 'active' }),
    },
    rows: () => sql`select client_id as id, xmin::text as version, status from partner_client`,
  },
]
