import { z } from 'zod'
import { abhaAddress } from '../abdm/wire.ts'

/** `POST /v1/sandbox/tokens`: whose session is wanted. */
export const tokenInput = z.object({ patient: abhaAddress, actingGuardian: abhaAddress.optional() })

/** What `GET /v1/messages` of a party answers. */
export const deliveryLog = z.array(
  z.object({
    id: z.string(),
    seq: z.number(),
    at: z.string(),
    direction: z.enum(['in', 'out']),
    peer: z.string(),
    method: z.string(),
    path: z.string(),
    requestId: z.string().optional(),
    body: z.unknown().optional(),
    status: z.number().optional(),
    answer: z.string().optional(),
    error: z.string().optional(),
    tookMs: z.number(),
    job: z.string().optional(),
    attempt: z.number().optional(),
    replayOf: z.string().optional(),
    sentAt: z.string().optional(),
  }),
)

/** `GET /v1/console/flow`: what the page has seen. */
export const flowQuery = z.object({ after: z.coerce.number().int().min(0).default(0) })
