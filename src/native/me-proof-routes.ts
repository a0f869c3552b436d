import { type Call, type Route, route } from '../http/route.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { listPasskeys, passkeyPlaceOf, removePasskey, renamePasskey } from '../people/passkey-commands.ts'
import {
  addPatientPasskey,
  provePatientStepUp,
  provingOf,
  sendStepUpCode,
  startPatientPasskey,
} from '../people/patient-proofs.ts'
import type { SignInNeeds } from '../people/sign-in-commands.ts'
import type { StepUpBy } from '../people/step-up.ts'
import { openStepUp } from '../people/step-up-commands.ts'
import { passkeyNew, passkeyOptions, passkeyRename, stepUpProof, stepUpStart } from './me-sign-in-messages.ts'

const mine = { dialect: 'native', auth: 'patient', once: false } as const

/** Proving anew who is there, and the passkeys that do it. */
export function meProofRoutes(needs: SignInNeeds): readonly Route[] {
  return [...stepUpRoutes(needs), ...passkeyAddRoutes(needs), ...passkeyRoutes()]
}

function proving({ caller }: Pick<Call<never, never>, 'caller'>): StepUpBy | Refusal {
  return caller.kind === 'patient' ? provingOf(caller) : refuse('auth/forbidden')
}

function stepUpRoutes(needs: SignInNeeds): readonly Route[] {
  return [
    route({
      ...mine,
      method: 'POST',
      path: '/v1/me/step-up',
      summary:
        'Asks for a fresh proof of who I am, for one act on one thing: by passkey where I have one, else by a code',
      body: stepUpStart,
      answers: { 201: { description: 'How it can be proved' }, 429: { description: 'Too many' } },
      handle: async ({ tx, body, headers, ...call }) => {
        const by = proving(call)
        if (isRefusal(by)) return by
        const opened = await openStepUp(tx, by, passkeyPlaceOf(needs.web, headers), body)
        if (isRefusal(opened)) return opened
        if (opened.passkey !== undefined) return { status: 201, body: { ...opened, methods: ['passkey', 'code'] } }
        const sent = await sendStepUpCode(tx, needs, by, opened.id)
        return isRefusal(sent) ? sent : { status: 201, body: { ...opened, ...sent, methods: ['code'] } }
      },
    }),
    route({
      ...mine,
      method: 'POST',
      path: '/v1/me/step-up/:id/code',
      summary: 'Sends a code for this proof, where the passkey is not at hand',
      answers: { 200: { description: 'Sent' }, 429: { description: 'Sent already, or too many' } },
      handle: async ({ tx, params, ...call }) => {
        const by = proving(call)
        const sent = isRefusal(by) ? by : await sendStepUpCode(tx, needs, by, params['id'] ?? '')
        return isRefusal(sent) ? sent : { status: 200, body: sent }
      },
    }),
    route({
      ...mine,
      method: 'POST',
      path: '/v1/me/step-up/:id',
      summary: 'Proves it, by the code or by what the passkey signed',
      body: stepUpProof,
      answers: {
        204: { description: 'Proved' },
        410: { description: 'Expired or spent' },
        422: { description: 'Wrong' },
      },
      handle: async ({ tx, body, headers, params, ...call }) => {
        const by = proving(call)
        if (isRefusal(by)) return by
        const place = passkeyPlaceOf(needs.web, headers)
        const fault = await provePatientStepUp(tx, needs, by, { id: params['id'] ?? '', place, proof: body })
        return fault ?? { status: 204 }
      },
    }),
  ]
}

function passkeyAddRoutes(needs: SignInNeeds): readonly Route[] {
  return [
    route({
      ...mine,
      method: 'POST',
      path: '/v1/me/passkeys/options',
      summary: 'Starts to add a passkey; asks for a step-up unless I signed in within the last minutes',
      body: passkeyOptions,
      answers: {
        200: { description: 'Options for the browser' },
        403: { description: 'Prove anew who you are first' },
      },
      handle: async ({ tx, body, headers, caller }) => {
        if (caller.kind !== 'patient') return refuse('auth/forbidden')
        const by = provingOf(caller)
        if (isRefusal(by)) return by
        const place = passkeyPlaceOf(needs.web, headers)
        const started = isRefusal(place) ? place : await startPatientPasskey(tx, needs, place, caller, body.stepUp)
        return isRefusal(started) ? started : { status: 200, body: started }
      },
    }),
    route({
      ...mine,
      method: 'POST',
      path: '/v1/me/passkeys',
      summary: 'Adds the passkey that the browser made',
      body: passkeyNew,
      answers: { 201: { description: 'Added' }, 422: { description: 'It cannot be checked' } },
      handle: async ({ tx, body, headers, ...call }) => {
        const by = proving(call)
        if (isRefusal(by)) return by
        const place = passkeyPlaceOf(needs.web, headers)
        if (isRefusal(place)) return place
        const { challenge, name, attestation } = body
        const added = await addPatientPasskey(tx, needs, place, by, { id: challenge, name, attestation })
        return isRefusal(added) ? added : { status: 201, body: added }
      },
    }),
  ]
}

function passkeyRoutes(): readonly Route[] {
  return [
    route({
      ...mine,
      method: 'GET',
      path: '/v1/me/passkeys',
      summary: 'My passkeys, newest first',
      answers: { 200: { description: 'Passkeys' } },
      handle: async ({ tx, ...call }) => {
        const by = proving(call)
        return isRefusal(by) ? by : { status: 200, body: await listPasskeys(tx, by.owner) }
      },
    }),
    route({
      ...mine,
      method: 'PATCH',
      path: '/v1/me/passkeys/:id',
      summary: 'Gives a passkey of mine another name',
      body: passkeyRename,
      answers: { 204: { description: 'Renamed' }, 404: { description: 'No such passkey of mine' } },
      handle: async ({ tx, body, params, ...call }) => {
        const by = proving(call)
        if (isRefusal(by)) return by
        return (await renamePasskey(tx, by, params['id'] ?? '', body.name)) ?? { status: 204 }
      },
    }),
    route({
      ...mine,
      method: 'DELETE',
      path: '/v1/me/passkeys/:id',
      summary: 'Removes a passkey of mine: it lets nobody in any more',
      answers: { 204: { description: 'Removed' }, 404: { description: 'No such passkey of mine' } },
      handle: async ({ tx, params, ...call }) => {
        const by = proving(call)
        if (isRefusal(by)) return by
        return (await removePasskey(tx, by, params['id'] ?? '')) ?? { status: 204 }
      },
    }),
  ]
}
