import type { Replay } from './audit/replay.ts'
import { REPLAYS as CONSENT } from './consent/replay.ts'
import { REPLAYS as DESK } from './desk/replay.ts'
import { REPLAYS as HIP } from './hip/replay.ts'
import { REPLAYS as HIU } from './hiu/replay.ts'
import { REPLAYS as INCIDENTS } from './incidents/replay.ts'
import { REPLAYS as LINKING } from './linking/replay.ts'
import { REPLAYS as OPERATORS } from './operators/replay.ts'
import { REPLAYS as PARTNERS } from './partners/replay.ts'
import { PATIENT_REPLAYS, STAFF_REPLAYS } from './people/replay.ts'

/** Which rows of a party follow from its log, and how: one entry for each kind of thing. */
export const REPLAYS_OF: Readonly<Record<'exchange' | 'facility', readonly Replay[]>> = {
  exchange: [...OPERATORS, ...PARTNERS, ...PATIENT_REPLAYS, ...LINKING, ...CONSENT],
  facility: [...OPERATORS, ...PARTNERS, ...STAFF_REPLAYS, ...HIP, ...HIU, ...INCIDENTS, ...DESK],
}
