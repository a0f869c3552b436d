import { type Route, route } from '../http/route.ts'
import { staffOf } from '../kernel/caller.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { listPasskeys, passkeyPlaceOf, renamePasskey } from '../people/passkey-commands.ts'
import {
  addStaffPasskey,
  openStaffStepUp,
  proveStaffStepUp,
  removeStaffPasskey,
  staffProvingOf,
  startStaffPasskey,
} from '../people/staff-proofs.ts'
import type { DeskNeeds } from '../people/staff-sign-in.ts'
import { deskPasskeyOptions, deskStepUpProof } from './desk-staff-messages.ts'
import { passkeyNew, passkeyRename, stepUpStart } from './me-sign-in-messages.ts'

const mine = { dialect: 'native', auth: 'staff', once: false } as const

/** Proving anew who is there before grave acts at the desk, and the passkeys that do it. */
export function deskProofRoutes(needs: DeskNeeds): readonly Route[] {
  return [...stepUpRoutes(needs), ...passkeyAddRoutes(needs), ...passkeyRoutes(needs)]
}

function stepUpRoutes(needs: DeskNeeds): readonly Route[] {
  return [
    route({
      ...mine,
      method: 'POST',
      path: '/v1/desk/step-up',
      summary: 'Asks for a fresh proof of who she is, for one act on one thing: a code of her app, or a passkey',
      body: stepUpStart,
      answers: { 201: { description: 'How it can be proved' }, 403: { description: 'Her role may not do this' } },
      handle: async ({ tx, caller, body, headers }) => {
        const place = passkeyPlaceOf(needs.web, headers)
        const opened = await openStaffStepUp(tx, needs, place, staffOf(caller), body)
        return isRefusal(opened) ? opened : { status: 201, body: opened }
      },
    }),
    route({
      ...mine,
      method: 'POST',
      path: '/v1/desk/step-up/:id',
      summary: 'Proves it, by the code, by a recovery code or by what the passkey signed',
      body: deskStepUpProof,
      answers: {
        204: { description: 'Proved' },
        410: { description: 'Expired or spent' },
        422: { description: 'Wrong' },
      },
      handle: async ({ tx, caller, body, headers, params }) => {
        const place = passkeyPlaceOf(needs.web, headers)
        const given = { id: params['id'] ?? '', place, proof: body }
        return (await proveStaffStepUp(tx, needs, staffOf(caller), given)) ?? { status: 204 }
      },
    }),
  ]
}

function passkeyAddRoutes(needs: DeskNeeds): readonly Route[] {
  return [
    route({
      ...mine,
      method: 'POST',
      path: '/v1/desk/me/passkeys/options',
      summary: 'Starts to add a passkey; takes a step-up for passkey.add on her own id',
      body: deskPasskeyOptions,
      stepUp: { act: 'passkey.add', subject: ({ caller }) => staffOf(caller).id },
      answers: { 200: { description: 'Options for the browser' }, 403: { description: 'No step-up' } },
      handle: async ({ tx, caller, headers }) => {
        const place = passkeyPlaceOf(needs.web, headers)
        const started = isRefusal(place) ? place : await startStaffPasskey(tx, needs, place, staffOf(caller))
        return isRefusal(started) ? started : { status: 200, body: started }
      },
    }),
    route({
      ...mine,
      method: 'POST',
      path: '/v1/desk/me/passkeys',
      summary: 'Adds the passkey that the browser made',
      body: passkeyNew,
      answers: { 201: { description: 'Added' }, 422: { description: 'It cannot be checked' } },
      handle: async ({ tx, caller, body, headers }) => {
        const place = passkeyPlaceOf(needs.web, headers)
        if (isRefusal(place)) return place
        const { challenge, name, attestation } = body
        const given = { id: challenge, name, attestation }
        const added = await addStaffPasskey(tx, needs, place, staffOf(caller), given)
        return isRefusal(added) ? added : { status: 201, body: added }
      },
    }),
  ]
}

function passkeyRoutes(needs: DeskNeeds): readonly Route[] {
  return [
    route({
      ...mine,
      method: 'GET',
      path: '/v1/desk/me/passkeys',
      summary: 'Her passkeys, newest first',
      answers: { 200: { description: 'Passkeys' } },
      handle: async ({ tx, caller }) => ({
        status: 200,
        body: await listPasskeys(tx, { kind: 'staff', person: staffOf(caller).id }),
      }),
    }),
    route({
      ...mine,
      method: 'PATCH',
      path: '/v1/desk/me/passkeys/:id',
      summary: 'Gives a passkey of hers another name',
      body: passkeyRename,
      answers: { 204: { description: 'Renamed' }, 404: { description: 'No such passkey of hers' } },
      handle: async ({ tx, caller, body, params }) => {
        const by = staffProvingOf(needs.facility.id, staffOf(caller))
        return (await renamePasskey(tx, by, params['id'] ?? '', body.name)) ?? { status: 204 }
      },
    }),
    route({
      ...mine,
      method: 'DELETE',
      path: '/v1/desk/me/passkeys/:id',
      summary: 'Removes a passkey of hers: it lets nobody in any more',
      answers: {
        204: { description: 'Removed' },
        404: { description: 'No such passkey of hers' },
        409: { description: 'It is her only way in' },
      },
      handle: async ({ tx, caller, params }) =>
        (await removeStaffPasskey(tx, needs, staffOf(caller), params['id'] ?? '')) ?? { status: 204 },
    }),
  ]
}
