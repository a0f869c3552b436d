import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { Actor } from '../kernel/caller.ts'
import { type AbhaAddress, type Id, makeId } from '../kernel/id.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import { lookAbout } from './commands.ts'
import {
  checkConfirmation,
  checkUntil,
  isWithheldAt,
  type Withholding,
  type WithholdingEvent,
  type WithholdingOrder,
} from './withholding.ts'
import * as store from './withholding-store.ts'

/** Enters an authority's order about one look. Nothing is withheld before a second person confirmed it. */
export async function proposeWithholding(
  tx: Tx,
  input: {
    readonly patient: AbhaAddress
    readonly event: Id<'event'>
    readonly order: WithholdingOrder
    readonly until: Date
    readonly by: string
    readonly actor: Actor
  },
): Promise<Withholding | Refusal> {
  const { patient, event, order, until, by } = input
  const wrong = checkUntil(until, tx.now)
  if (wrong !== undefined) return wrong
  if ((await lookAbout(tx, patient, event)) === undefined) return refuse('rights/unknown-look', undefined, 'event')
  const open = await store.findWithholdingsOf(tx, patient)
  if (open.some((one) => one.event === event)) return refuse('rights/withheld-already', undefined, 'event')
  const id = makeId<'withholding'>(tx.now, tx.random, bucketOf(patient))
  const recorded = await record<WithholdingEvent>(tx, {
    type: 'rights.withholding-proposed',
    actor: input.actor,
    subject: id,
    by,
    until: until.toISOString(),
  })
  const one = { id, patient, event, status: 'proposed', order, until, proposedBy: by } as const
  await store.insertWithholding(tx, recorded, one)
  await announce(tx, recorded)
  return one
}

/** A second person confirms an order: from now on the look is withheld, until its day. */
export async function confirmWithholding(
  tx: Tx,
  input: { readonly id: Id<'withholding'>; readonly by: string; readonly actor: Actor },
): Promise<Withholding | Refusal> {
  const one = await store.findWithholding(tx, input.id)
  if (one?.status !== 'proposed') return refuse('rights/unknown-withholding')
  const wrong = checkConfirmation(one, input.by, tx.now)
  if (wrong !== undefined) return wrong
  const recorded = await record<WithholdingEvent>(tx, {
    type: 'rights.withholding-confirmed',
    actor: input.actor,
    subject: one.id,
    by: input.by,
    until: one.until.toISOString(),
  })
  await store.moveWithholding(tx, recorded, one, { status: 'in-force', confirmedBy: input.by })
  await announce(tx, recorded)
  return { ...one, status: 'in-force', confirmedBy: input.by }
}

/** Ends an order before its day, or takes back one that was only entered: telling needs one person alone. */
export async function liftWithholding(
  tx: Tx,
  input: { readonly id: Id<'withholding'>; readonly by: string; readonly actor: Actor },
): Promise<Withholding | Refusal> {
  const one = await store.findWithholding(tx, input.id)
  if (one === undefined || one.status === 'lifted') return refuse('rights/unknown-withholding')
  const recorded = await record<WithholdingEvent>(tx, {
    type: 'rights.withholding-lifted',
    actor: input.actor,
    subject: one.id,
    by: input.by,
  })
  await store.moveWithholding(tx, recorded, one, { status: 'lifted' })
  await announce(tx, recorded)
  return { ...one, status: 'lifted' }
}

/** Orders about a patient's looks that stand or wait, for the operator. */
export async function withholdingsOf(
  tx: Tx,
  patient: AbhaAddress,
  page: Parameters<typeof store.withholdingsBelow>[2],
): Promise<readonly Withholding[]> {
  return store.withholdingsBelow(tx, patient, page)
}

/** The looks of a patient that nothing may show her now. */
export async function withheldEventsOf(tx: Tx, patient: AbhaAddress): Promise<readonly Id<'event'>[]> {
  const all = await store.findWithholdingsOf(tx, patient)
  return all.filter((one) => isWithheldAt(one, tx.now)).map(({ event }) => event)
}
