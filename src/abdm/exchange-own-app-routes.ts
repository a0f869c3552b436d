import type { z } from 'zod'
import { type Route, route } from '../http/route.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, refuse } from '../kernel/refusal.ts'
import { shareProfile } from '../linking/share-commands.ts'
import { shareAsk } from '../native/me-record-messages.ts'
import { readPatient } from '../people/commands.ts'
import { isMailbox, receiveSealedPage, type SealedPage } from '../transfer/mailbox-commands.ts'
import { MAILBOX_PATH } from '../transfer/own-fetch-commands.ts'
import { isGiven } from './consent-messages.ts'
import { dataPush } from './data-messages.ts'
import { patientStep } from './exchange-callers.ts'
import { hipShare } from './exchange-share-routes.ts'
import { sendToFacility } from './send.ts'

type Needs = { readonly exchange: { readonly id: string } }

/** Where the exchange's own patient app and ABDM meet: the mailbox of a patient's own copy, and scan and share from her page. */
export function exchangeOwnAppRoutes(needs: Needs): readonly Route[] {
  return [mailboxRoute(needs), shareRoute()]
}

function mailboxRoute(needs: Needs): Route {
  return route({
    method: 'POST',
    path: `${MAILBOX_PATH}:token`,
    summary: 'One page of sealed documents for a patient’s own page, pushed to the address of one request.',
    dialect: 'abdm',
    // The unguessable address lets the hospital in; many send no token with pushes (protocol sheet 2.5).
    auth: 'none',
    once: false,
    secretPath: true,
    body: dataPush,
    answers: {
      202: { description: 'Kept, sealed, for some minutes.' },
      403: { description: 'The consent has ended; nothing was stored.' },
      404: { description: 'No request has this address.' },
    },
    bodyBytesMax: LIMITS.pushBodyBytesMax,
    admit: async ({ tx, params }) =>
      (await isMailbox(tx, params['token'] ?? '')) ? undefined : refuse('transfer/unknown-mailbox'),
    handle: async ({ tx, body, params }) => {
      const received = await receiveSealedPage(tx, needs, params['token'] ?? '', sealedPage(body))
      return isRefusal(received) ? received : { status: 202 }
    },
  })
}

/** What the patient's page needs to open it, and nothing else that was sent. */
function sealedPage({
  pageNumber,
  pageCount,
  transactionId,
  entries,
  keyMaterial,
}: z.output<typeof dataPush>): SealedPage {
  const body = {
    entries: entries.map(({ content, link, media, checksum, careContextReference }) => ({
      careContextReference,
      ...(isGiven(content) ? { content } : {}),
      ...(isGiven(link) ? { link } : {}),
      ...(isGiven(media) ? { media } : {}),
      ...(isGiven(checksum) ? { checksum } : {}),
    })),
    keyMaterial: { keyValue: keyMaterial.dhPublicKey.keyValue, nonce: keyMaterial.nonce },
  }
  return {
    transaction: transactionId,
    entries: entries.length,
    body: JSON.stringify(body),
    ...(isGiven(pageNumber) ? { number: pageNumber } : {}),
    ...(isGiven(pageCount) ? { count: pageCount } : {}),
  }
}

function shareRoute(): Route {
  return route({
    method: 'POST',
    path: '/v1/me/shares',
    summary: 'Shows my profile at the counter of a hospital, whose code I scanned or typed.',
    dialect: 'native',
    auth: 'patient',
    once: true,
    body: shareAsk,
    answers: {
      202: { description: 'Told to the hospital; the number in the queue comes with GET /v1/me/shares.' },
      404: { description: 'There is no such hospital.' },
    },
    handle: async (call) => {
      const step = await patientStep(call)
      if (isRefusal(step)) return step
      const { hip, counter } = call.body
      const known = await readPatient(call.tx, step.patient)
      if (known === undefined) return refuse('people/unknown-patient')
      const { abhaAddress, name, gender } = known
      const shared = await shareProfile(call.tx, { ...step, hip, counter, profile: { abhaAddress, name, gender } })
      if (isRefusal(shared)) return shared
      const { share, patient } = shared
      await sendToFacility(call.tx, {
        facility: share.hip,
        as: 'hip',
        path: '/api/v3/hip/patient/share',
        body: hipShare({ metaData: { hipId: hip, context: counter }, profile: { patient: {} } }, patient),
        requestId: share.sentRequest,
        failure: { kind: 'linking.share-undelivered', id: share.id },
      })
      return { status: 202, body: { id: share.id } }
    },
  })
}
