import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeBase64, encodeBase64 } from '../../crypto/base64.ts'
import { type Cosigner, makeCosigner } from '../../crypto/cosignature.ts'
import { lockFolder } from '../../db/embedded-lock.ts'
import type { Random } from '../../db/tx.ts'
import type { Answer } from '../../http/route.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { text } from '../serve.ts'
import { cosignAddition, readAddition, refuseToContinue, say } from '../witness.ts'
import { makeBudget, tooMany } from './budget.ts'
import { openKnownLogs } from './known-logs.ts'
import { openSeenFile, WitnessFault } from './state-file.ts'

const KEY_FILE = 'witness.key'
const SEED_BYTES = 32

/** A witness that anyone can run: no database, no patients' data; a key, a list of logs, and what it saw of them. */
export type StandaloneWitness = {
  readonly cosigner: Cosigner
  readonly logs: () => number
  readonly addCheckpoint: (body: Uint8Array) => Promise<Answer>
  readonly monitor: (originHash: string) => Answer
  readonly close: () => Promise<void>
}

/**
 * Opens a witness's folder; in an empty one it makes key and memory. The key and the memory belong together: a key without its memory
 * is a fault, since the witness might sign what contradicts what it forgot.
 * @throws WitnessFault
 */
export async function openWitness(
  folder: string,
  name: string,
  machine: { readonly now: () => Date; readonly random: Random },
): Promise<StandaloneWitness> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const unlock = await lockFolder(folder)
  try {
    const isNew = !existsSync(join(folder, KEY_FILE))
    // The memory first: a crash between the two leaves an empty memory without a key, which is a new witness.
    const seen = await openSeenFile(folder, isNew)
    const cosigner = makeCosigner(name, readSeed(folder, machine.random))
    const known = openKnownLogs(folder)
    const cosignatures = makeBudget(LIMITS.witnessCosignaturesPerMinuteMax, machine.now)
    const turns = new Map<string, Promise<unknown>>()
    const inTurn = <T>(origin: string, work: () => Promise<T>): Promise<T> => {
      const before = turns.get(origin) ?? Promise.resolve()
      const mine = before.then(work)
      // The next of this log waits for us, however we end.
      turns.set(
        origin,
        mine.catch(() => undefined),
      )
      return mine
    }
    return {
      cosigner,
      logs: known.count,
      addCheckpoint: async (body) => {
        const addition = readAddition(known.vkeyOf, body)
        if ('answer' in addition) return addition.answer
        const { origin } = addition.checkpoint
        return inTurn(origin, async () => {
          const refused = refuseToContinue(addition, seen.seen(origin))
          if (refused !== undefined) return refused
          const waitSeconds = cosignatures.take(origin)
          if (waitSeconds > 0) return tooMany(waitSeconds)
          const { line, note } = cosignAddition(addition, cosigner, machine.now())
          await seen.remember(note)
          return text(200, line, 'no-store')
        })
      },
      monitor: (originHash) => {
        const note = seen.noteNamed(originHash)
        return note === undefined ? say(404, 'We have not cosigned this log.') : text(200, note, 'public, max-age=1')
      },
      close: async () => {
        await seen.close()
        unlock()
      },
    }
  } catch (error) {
    unlock()
    throw error
  }
}

/** The seed of the witness's key, made at the very first start. */
function readSeed(folder: string, random: Random): Uint8Array {
  const path = join(folder, KEY_FILE)
  if (!existsSync(path)) {
    writeFileSync(`${path}.new`, `${encodeBase64(random(SEED_BYTES))}\n`, { mode: 0o600, flush: true })
    renameSync(`${path}.new`, path)
  }
  const seed = decodeBase64(readFileSync(path, 'utf8').trim())
  if (seed?.length !== SEED_BYTES)
    throw new WitnessFault(`${path} does not hold a key: ${SEED_BYTES} bytes in base64. Put it back from your copy.`)
  return seed
}
