import { z } from 'zod'
import { type Refusal, refuse } from '../kernel/refusal.ts'

const key = z.strictObject({ name: z.string().min(1), vkey: z.string().min(1) })

/** A receipt: everything that is needed to check, without asking anybody, that this event is in that log. */
const receiptSchema = z.strictObject({
  amanat: z.literal('receipt/v1'),
  /** Id of the event. */
  id: z.string(),
  /** When it was recorded, ISO 8601 in UTC. */
  at: z.string(),
  event: z.record(z.string(), z.unknown()),
  /** Base64, 32 bytes. */
  salt: z.string(),
  /** C2SP tlog-proof with the checkpoint and the cosignatures it had. */
  proof: z.string(),
  log: z.strictObject({ origin: z.string(), vkey: z.string() }),
  /** The witnesses that the log asks; whom to believe is the reader's choice. */
  witnesses: z.array(key).max(32),
})

export type Receipt = z.output<typeof receiptSchema>

/** Reads a receipt's shape; nothing is verified yet. */
export function parseReceipt(json: string): Receipt | Refusal {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return refuse('log/receipt-malformed', 'The receipt is not valid JSON.')
  }
  const parsed = receiptSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  return refuse('log/receipt-malformed', `The receipt is malformed: ${issue?.message ?? ''}`, issue?.path.join('.'))
}
