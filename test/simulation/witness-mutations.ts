import { createHash } from 'node:crypto'
import { formatCheckpoint } from '../../src/crypto/checkpoint.ts'
import { EMPTY_ROOT } from '../../src/crypto/merkle.ts'
import { formatNote, makeSigner, signNote } from '../../src/crypto/signed-note.ts'
import type { Tamper } from './faulty-database.ts'
import { type Mutation, type Row, rowsOf, skip } from './mutation.ts'
import { readCheckpoint } from './witness-party.ts'
import { PARTIES, type World } from './world.ts'

const FORKED = new Uint8Array(createHash('sha256').update('another history').digest())
/** So many looks at its newest checkpoint are good ones. */
const GOOD_LOOKS = 8

/** A log that shows the exchange, as its witness, another tree than it has. */
function showAnotherTree(world: World): () => void {
  const { post } = world
  const honest = post.forge
  post.forge = (from, call) => {
    const party = PARTIES.find((id) => id === from)
    const [asked = '', note = ''] = (call.body ?? '').split('\n\n')
    if (party === undefined || !call.url.endsWith('/witness/add-checkpoint')) return call
    const { origin, size } = readCheckpoint(note)
    const text = formatCheckpoint({ origin, size, root: FORKED })
    const signatures = [signNote(text, makeSigner(origin, world.keysOf(party).logSeed))]
    // Where nothing was seen before, there is nothing to lead from.
    const head = asked.startsWith('old 0\n') ? 'old 0\n' : asked
    return { ...call, body: `${head}\n\n${formatNote({ text, signatures })}` }
  }
  return () => {
    post.forge = honest
  }
}

/** A log whose newest checkpoint, when a witness is to be asked, is after a while an old one again; its own sequencer knows better. */
function rolledBack(): Tamper {
  let first: readonly Row[] | undefined
  let looks = 0
  let before = ''
  return async (statement, go) => {
    const result = (await go()) as { rows?: Row[] }
    const isForSequencer = /log_queue/.test(before)
    before = statement
    if (!/^select .*from "?log_checkpoint/s.test(statement) || isForSequencer) return result
    first ??= result.rows
    return ++looks > GOOD_LOOKS ? { ...result, rows: first } : result
  }
}

export const WITNESS_MUTATIONS: readonly Mutation[] = [
  {
    name: 'a party that is a witness forgets what it cosigned',
    near: 1,
    tamper: () => skip('update', 'witnessed_log'),
    noticed: /sbx cosigned \d+ leaves of \w+, and remembers/,
  },
  {
    name: 'a witness begins each life with an empty memory',
    near: 2,
    cheat: (world) => {
      world.witness.forgets = true
      return () => (world.witness.forgets = false)
    },
    noticed: /witness cosigned \d+ leaves of \w+, and remembers/,
  },
  {
    name: 'the log forks between witnesses',
    near: 1,
    cheat: showAnotherTree,
    noticed: /alarm at IN\d+: sbx saw another tree/,
  },
  {
    name: 'the log forks, and a witness cosigns whatever it is shown',
    near: 1,
    tamper: () => rowsOf(/^select .*from "witnessed_log".* for update/s, () => ({ size: 0, root: EMPTY_ROOT })),
    cheat: showAnotherTree,
    noticed: /two trees of|another tree of/,
  },
  {
    name: 'a log loses leaves that a witness saw',
    near: 2,
    tamper: rolledBack,
    noticed: /alarm at \w+: \w+ has seen .* rolled back/,
  },
  {
    name: 'cosignatures are not kept',
    near: 1,
    tamper: () => skip('insert', 'log_cosignature'),
    noticed: /did not cosign the newest checkpoint/,
  },
]
