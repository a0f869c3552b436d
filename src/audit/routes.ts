import { formatVkey } from '../crypto/signed-note.ts'
import { type Answer, type Route, route } from '../http/route.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { OwnLog, OwnWitness } from './log.ts'
import { serveCheckpoint, serveTile, serveVkey, text } from './serve.ts'
import { addCheckpoint, serveWitnessed } from './witness.ts'

const open = { dialect: 'native', auth: 'none', once: false } as const
const found = { 200: { description: 'Found' }, 404: { description: 'Not in the log' } }

/** The log for everybody: it has nothing but commitments in it (C2SP tlog-tiles, prefix `/log`). */
export function logRoutes(log: OwnLog): readonly Route[] {
  return [
    route({
      ...open,
      method: 'GET',
      path: '/log/checkpoint',
      summary: 'The newest signed checkpoint, with the cosignatures of witnesses',
      answers: found,
      handle: ({ tx }): Promise<Answer> => serveCheckpoint(tx.db),
    }),
    route({
      ...open,
      method: 'GET',
      path: '/log/vkey',
      summary: 'The verifier key of the checkpoints',
      answers: { 200: { description: 'The key' } },
      handle: async (): Promise<Answer> => serveVkey(log),
    }),
    route({
      ...open,
      method: 'GET',
      path: '/log/witnesses',
      summary: 'Who cosigns our checkpoints: names and verifier keys',
      answers: { 200: { description: 'The witnesses that we ask' } },
      handle: async (): Promise<Answer> => ({
        status: 200,
        body: { witnesses: log.witnesses.map(({ name, vkey }) => ({ name, vkey })) },
      }),
    }),
    route({
      ...open,
      method: 'GET',
      path: '/log/tile/*',
      summary: 'A tile of hashes, or a bundle of entries under tile/entries/',
      answers: found,
      handle: ({ tx, params }): Promise<Answer> => serveTile(tx.db, `tile/${params['*'] ?? ''}`),
    }),
    route({
      ...open,
      method: 'GET',
      path: '/log/entries/*',
      summary: 'A bundle of entries: another name for /log/tile/entries/',
      answers: found,
      handle: ({ tx, params }): Promise<Answer> => serveTile(tx.db, `tile/entries/${params['*'] ?? ''}`),
    }),
  ]
}

/** This party as a witness of others' logs (C2SP tlog-witness, prefix `/witness`). */
export function witnessRoutes(own: OwnWitness): readonly Route[] {
  return [
    route({
      ...open,
      method: 'POST',
      path: '/witness/add-checkpoint',
      summary: 'Cosign a checkpoint that continues the one seen last',
      bodyBytesMax: LIMITS.witnessBodyBytesMax,
      answers: {
        200: { description: 'Cosigned: the signature line' },
        400: { description: 'Malformed, or the old size is larger than the checkpoint' },
        403: { description: 'Not signed by the log' },
        404: { description: 'Not a log that is witnessed here' },
        409: { description: 'The old size is not the one seen last, which is the body' },
        422: { description: 'Not a continuation of what was seen' },
      },
      handle: ({ tx, raw }): Promise<Answer> => addCheckpoint(tx, own, raw),
    }),
    route({
      ...open,
      method: 'GET',
      path: '/witness/vkey',
      summary: 'The verifier key of our cosignatures',
      answers: { 200: { description: 'The key' } },
      handle: async (): Promise<Answer> => text(200, `${formatVkey(own.cosigner.key)}\n`, 'public, max-age=300'),
    }),
    route({
      ...open,
      method: 'GET',
      path: '/witness/:log/checkpoint',
      summary: 'The checkpoint that we last cosigned of the log whose origin has this SHA-256',
      answers: found,
      handle: ({ tx, params }): Promise<Answer> => serveWitnessed(tx, own, params.log ?? ''),
    }),
  ]
}
