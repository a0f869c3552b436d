import type { z } from 'zod'
import type { Reaction, Tx } from '../db/tx.ts'
import type { Id } from '../kernel/id.ts'
import { transferById } from '../transfer/commands.ts'
import type { OwnCopyRequested } from '../transfer/own-fetch.ts'
import { type OwnFetchNeeds, readOwnRequest } from '../transfer/own-fetch-commands.ts'
import type { hipDataRequest } from './data-messages.ts'
import { sendToFacility } from './send.ts'

/** For `app.ts` to register: a patient's own copy is asked for as all health information is (protocol sheet 2.5). */
export function ownAppReactions(needs: OwnFetchNeeds): readonly (readonly [type: string, reaction: Reaction])[] {
  return [['transfer.own-copy-requested', (tx: Tx, event: OwnCopyRequested) => askHospital(tx, needs, event)]]
}

async function askHospital(tx: Tx, needs: OwnFetchNeeds, event: OwnCopyRequested): Promise<void> {
  const request = await transferById(tx, event.subject as Id<'transaction'>)
  if (request === undefined) throw new Error(`${event.type} names the unknown transaction ${event.subject}`)
  const { key, dataPushUrl } = await readOwnRequest(tx, needs, request)
  const { dhPublicKey, ...keyMaterial } = key
  const body: z.input<typeof hipDataRequest> = {
    transactionId: request.id,
    hiRequest: {
      consent: { id: request.consent },
      dateRange: { from: request.dateRange.from.toISOString(), to: request.dateRange.to.toISOString() },
      dataPushUrl,
      keyMaterial: { ...keyMaterial, dhPublicKey },
    },
  }
  await sendToFacility(tx, {
    facility: request.hip,
    as: 'hip',
    path: '/api/v3/hip/health-information/request',
    body,
    // The transaction id serves as REQUEST-ID, so an answer that carries nothing else is still found.
    requestId: request.id,
    failure: { kind: 'data-request', id: request.id },
  })
}
