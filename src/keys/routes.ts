import { z } from 'zod'
import { type Route, route } from '../http/route.ts'
import { operatorOf } from '../kernel/caller.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { destroyVersion, type KeysNeeds, keysStatus, rotateKeys } from './commands.ts'

const native = { dialect: 'native', once: false, auth: 'operator' } as const
const away = { 503: { description: 'The key service does not answer; nothing was changed' } } as const

/** What an operator does with the wrapping keys; `amanat keys …` calls these. */
export function keysRoutes(needs: KeysNeeds): readonly Route[] {
  return [
    route({
      ...native,
      method: 'GET',
      path: '/v1/keys',
      summary: 'The versions of the wrapping key, and how many data keys each has wrapped',
      answers: { 200: { description: 'Versions' }, ...away },
      handle: async ({ tx }) => ({ status: 200, body: await keysStatus(tx, needs) }),
    }),
    route({
      ...native,
      method: 'POST',
      path: '/v1/keys/rotate',
      grave: true,
      summary: 'Makes a new version of the wrapping key; the data keys are wrapped anew in the background',
      answers: {
        200: { description: 'The new version' },
        409: { description: 'New versions are made at the key service' },
        ...away,
      },
      handle: async ({ tx, caller }) => {
        const made = await rotateKeys(tx, needs, operatorOf(caller))
        return isRefusal(made) ? made : { status: 200, body: made }
      },
    }),
    route({
      ...native,
      method: 'POST',
      path: '/v1/keys/destroy',
      grave: true,
      summary: 'Destroys an old version that wraps nothing any more; backups from its time open no more',
      body: z.object({ wrapId: z.string().min(1).max(255) }).strict(),
      answers: {
        204: { description: 'It is destroyed' },
        404: { description: 'No such version' },
        409: { description: 'Still needed, or destroyed at the key service' },
        ...away,
      },
      handle: async ({ tx, body, caller }) => {
        const done = await destroyVersion(tx, needs, { ...body, actor: operatorOf(caller) })
        return isRefusal(done) ? done : { status: 204 }
      },
    }),
  ]
}
