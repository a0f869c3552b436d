import { ARTEFACT_EVENTS } from './artefact.ts'
import { LINK_EVENTS } from './link.ts'
import { TRANSFER_EVENTS } from './transfer.ts'

/** Events of this room, for docs/events.md. */
export const EVENTS = { ...ARTEFACT_EVENTS, ...LINK_EVENTS, ...TRANSFER_EVENTS } as const
