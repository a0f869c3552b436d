import type { z } from 'zod'
import { type Answer, type Route, route } from '../http/route.ts'
import { isRefusal, refuse } from '../kernel/refusal.ts'
import type { ProfileShare } from '../linking/share.ts'
import { answerShare, type ShareAnswer, shareProfile, sharesOf } from '../linking/share-commands.ts'
import type { Answered } from '../linking/transaction.ts'
import { facilityById } from '../partners/commands.ts'
import type { Patient } from '../people/patient.ts'
import { errorIn, facilitiesOfCaller, patientStep } from './exchange-callers.ts'
import { wireGender } from './exchange-linking-reactions.ts'
import { errorOf } from './rules.ts'
import { sendToFacility } from './send.ts'
import { onShare, profileShare } from './share-messages.ts'

const BASE = '/api/hiecm/patient-share/v3'
const ACCEPTED: Answer = { status: 202 }
const accepted = { 202: { description: 'Taken; the result comes as a callback.' } } as const

/** Scan and share at the exchange (protocol sheet 2.3). */
export function exchangeShareRoutes(): readonly Route[] {
  return [shareRoute(), answerRoute(), tokenRoute()]
}

function shareRoute(): Route {
  return route({
    method: 'POST',
    dialect: 'abdm',
    auth: 'patient',
    once: true,
    path: `${BASE}/share`,
    summary: 'Show the profile to a facility whose code was scanned.',
    body: profileShare,
    answers: accepted,
    handle: async (call) => {
      const step = await patientStep(call)
      if (isRefusal(step)) return step
      const { metaData, profile } = call.body
      const said = profile.patient
      const shared = await shareProfile(call.tx, {
        ...step,
        hip: metaData.hipId,
        counter: metaData.context,
        profile: {
          abhaAddress: said.abhaAddress,
          ...(said.abhaNumber ? { abhaNumber: said.abhaNumber } : {}),
          name: said.name,
          gender: said.gender,
          ...(said.yearOfBirth ? { yearOfBirth: said.yearOfBirth } : {}),
          ...(said.monthOfBirth ? { monthOfBirth: Number(said.monthOfBirth) } : {}),
          ...(said.dayOfBirth ? { dayOfBirth: Number(said.dayOfBirth) } : {}),
        },
      })
      if (isRefusal(shared)) return shared
      const { share, patient } = shared
      await sendToFacility(call.tx, {
        facility: share.hip,
        as: 'hip',
        path: '/api/v3/hip/patient/share',
        body: hipShare(call.body, patient),
        requestId: share.sentRequest,
        failure: { kind: 'linking.share-undelivered', id: share.id },
      })
      return ACCEPTED
    },
  })
}

function answerRoute(): Route {
  return route({
    method: 'POST',
    dialect: 'abdm',
    auth: 'bridge',
    once: true,
    path: `${BASE}/on-share`,
    summary: 'A HIP accepts or refuses a profile.',
    body: onShare,
    answers: accepted,
    handle: async (call) => {
      const { acknowledgement, error, response } = call.body
      const answer = readAnswer(acknowledgement, errorIn(error))
      if (answer === undefined)
        return refuse('request/invalid-field', 'acknowledgement: is needed where no error is', 'acknowledgement')
      const result = await answerShare(call.tx, {
        facilities: facilitiesOfCaller(call),
        sentRequest: response.requestId,
        answer,
      })
      return isRefusal(result) ? result : ACCEPTED
    },
  })
}

function tokenRoute(): Route {
  return route({
    method: 'GET',
    dialect: 'abdm',
    auth: 'patient',
    once: false,
    path: `${BASE}/profile/getTokenDetails`,
    summary: 'The patient’s queue tokens, newest first.',
    answers: { 200: { description: 'Queue tokens.' } },
    handle: async (call) => {
      const step = await patientStep(call)
      if (isRefusal(step)) return step
      const tokens: object[] = []
      for (const share of await sharesOf(call.tx, step.patient)) {
        const facility = await facilityById(call.tx, share.hip)
        tokens.push(wireToken(share, facility?.name ?? share.hip, call.tx.now))
      }
      return { status: 200, body: { tokenDetails: tokens } }
    },
  })
}

function readAnswer(
  acknowledgement: z.output<typeof onShare>['acknowledgement'],
  error: { readonly code: string; readonly message: string } | undefined,
): Answered<ShareAnswer> | undefined {
  if (error !== undefined) return { error }
  if (!acknowledgement) return undefined
  if (acknowledgement.status === 'FAILED') return { error: errorOf(refuse('linking/share-refused')) }
  const { tokenNumber, expiry } = acknowledgement.profile ?? {}
  return { result: { abhaAddress: acknowledgement.abhaAddress, tokenNumber: tokenNumber ?? undefined, expiry } }
}

/**
 * What the HIP gets. care_abdm demands `abhaNumber`, `hprId`, `latitude` and `longitude`, and numbers as text parse with every known
 * client (protocol sheet 2.3). Who the person is comes from the exchange; address and phone from the app where it says them.
 */
export function hipShare(
  said: {
    readonly metaData: z.output<typeof profileShare>['metaData']
    readonly profile: {
      readonly patient: Pick<z.output<typeof profileShare>['profile']['patient'], 'address' | 'phoneNumber'>
    }
  },
  patient: Patient,
): z.input<typeof profileShare> {
  const [year = '', month = '', day = ''] = patient.birthDate.split('-')
  const { metaData } = said
  const { address, phoneNumber } = said.profile.patient
  return {
    intent: 'PROFILE_SHARE',
    metaData: {
      hipId: metaData.hipId,
      context: metaData.context,
      hprId: metaData.hprId ?? '',
      latitude: metaData.latitude || '0.0',
      longitude: metaData.longitude || '0.0',
    },
    profile: {
      patient: {
        abhaNumber: patient.abhaNumber,
        abhaAddress: patient.abhaAddress,
        name: patient.name,
        gender: wireGender(patient.gender),
        dayOfBirth: String(Number(day)),
        monthOfBirth: String(Number(month)),
        yearOfBirth: year,
        address: {
          line: address?.line ?? patient.address?.line ?? '',
          district: address?.district ?? patient.address?.district ?? '',
          state: address?.state ?? patient.address?.state ?? '',
          pincode: address?.pincode ?? patient.address?.pincode ?? '',
        },
        phoneNumber: phoneNumber || patient.mobile,
      },
    },
  }
}

function wireToken(share: ProfileShare, name: string, now: Date): object {
  const base = { hip: { id: share.hip, name }, context: share.counter, sharedAt: share.sentAt.toISOString() }
  switch (share.status) {
    case 'sent':
      return { ...base, status: 'PENDING' }
    case 'accepted':
      return {
        ...base,
        status: share.expiresAt > now ? 'SUCCESS' : 'EXPIRED',
        tokenNumber: share.tokenNumber ?? '',
        expiry: share.expiresAt.toISOString(),
      }
    case 'refused':
    case 'failed':
      return { ...base, status: 'FAILED', error: share.error }
  }
}
