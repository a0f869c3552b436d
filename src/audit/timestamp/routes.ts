import { parseSize } from '../../crypto/checkpoint.ts'
import { type Answer, type Route, route } from '../../http/route.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { text } from '../serve.ts'
import { makeStampFile } from './file.ts'
import { findStamp, findStamps } from './store.ts'

const open = { dialect: 'native', auth: 'none', once: false, method: 'GET' } as const
const ANYONE = { 'access-control-allow-origin': '*' }

/** Time-stamps of our checkpoints, for everybody. */
export const timestampRoutes: readonly Route[] = [
  route({
    ...open,
    path: '/log/timestamps',
    summary: 'Which checkpoints a time-stamp authority has stamped, the newest first',
    answers: { 200: { description: 'Sizes, authorities and times' } },
    handle: async ({ tx }): Promise<Answer> => {
      const stamps = await findStamps(tx.db, LIMITS.pageSizeMax)
      const timestamps = stamps.map(({ size, authority, at }) => ({ size, authority, at: at.toISOString() }))
      return { status: 200, body: { timestamps }, headers: ANYONE }
    },
  }),
  route({
    ...open,
    path: '/log/timestamps/:size',
    summary: 'The time-stamp (RFC 3161) of the checkpoint of this size, with the checkpoint',
    answers: { 200: { description: 'Found' }, 404: { description: 'Not stamped' } },
    handle: async ({ tx, params }): Promise<Answer> => {
      const size = parseSize(params['size'] ?? '')
      const stamp = size === undefined ? undefined : await findStamp(tx.db, size)
      if (stamp === undefined) return text(404, 'There is nothing here.\n', 'no-store')
      return { status: 200, body: makeStampFile(stamp.note, stamp.token), headers: ANYONE }
    },
  }),
]
