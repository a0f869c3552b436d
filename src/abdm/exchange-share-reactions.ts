import type { z } from 'zod'
import type { Tx } from '../db/tx.ts'
import { type Id, parseId } from '../kernel/id.ts'
import { isRefusal } from '../kernel/refusal.ts'
import type { ShareEvent } from '../linking/events.ts'
import { endUndeliveredShare, readShare } from '../linking/share-commands.ts'
import { type FailureReaction, sendToFacility } from './send.ts'
import type { onShare } from './share-messages.ts'

/** Tells the patient's app what became of a shared profile (protocol sheet 2.3 (4)). */
async function tellShareAnswer(tx: Tx, event: ShareEvent): Promise<void> {
  const share = await readShare(tx, event.subject as Id<'profile-share'>)
  if (isRefusal(share) || share.requester === undefined || share.status === 'sent') return
  const response = { requestId: share.askedByRequest }
  const body: z.input<typeof onShare> =
    share.status === 'accepted'
      ? {
          acknowledgement: {
            abhaAddress: share.patient,
            status: 'SUCCESS',
            profile: {
              context: share.counter,
              tokenNumber: share.tokenNumber ?? '',
              expiry: String(Math.max(0, Math.round((share.expiresAt.getTime() - tx.now.getTime()) / 1000))),
            },
          },
          response,
        }
      : {
          acknowledgement: {
            abhaAddress: share.patient,
            status: 'FAILED',
            profile: { context: share.counter, tokenNumber: '', expiry: '0' },
          },
          error: share.error,
          response,
        }
  await sendToFacility(tx, { facility: share.requester, as: 'hiu', path: '/api/v3/hiu/patient/on-share', body })
}

/** For `app.ts` to register: event type and reaction. */
export const exchangeShareReactions = [['linking.profile-answered', tellShareAnswer]] as const

/** `linking.share-undelivered`: the facility never saw the profile. */
export const shareUndelivered: FailureReaction = async (tx, id, error) => {
  const share = parseId<'profile-share'>(id)
  if (share !== undefined) await endUndeliveredShare(tx, share, error)
}
