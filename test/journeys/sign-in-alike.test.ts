import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sql } from 'kysely'
import { tieAll } from '../../src/keys/tie-existing.ts'
import { TestNetwork } from '../network.ts'
import { ASHA } from '../people.ts'
import { addStaff } from '../staff.ts'

const FACILITY = 'IN2710000011'
/** Tries of each kind, one after another in turn: a busy moment of the machine hits all kinds alike. */
const ROUNDS = 11
/** A median may differ by this much: far less than a password costs, which is what a shortcut would save. */
const OFF_MAX = 0.35
/** A difference that the program makes shows in every series; one that the machine made is gone in the next. */
const SERIES_MAX = 4

type Heard = { readonly status: number; readonly headers: string; readonly body: string; readonly tookMs: number }
type Kind = readonly [name: string, ask: () => { readonly url: string; readonly body: object }]

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

/** What stands in an answer, but for what differs in any two answers: the trace, the date, and ids made at random. */
async function ask({ url, body }: { readonly url: string; readonly body: object }): Promise<Heard> {
  const started = performance.now()
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const text = await answer.text()
  const tookMs = performance.now() - started
  const headers = JSON.stringify([...answer.headers].map(([name, value]) => (name === 'date' ? [name] : [name, value])))
  const plain = text
    .replace(/"trace":"[\w-]{16}"/, '"trace":"0123456789abcdef"')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'an-id')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'a-time')
  return { status: answer.status, headers, body: plain, tookMs }
}

describe('a guesser learns nothing about who has an account', () => {
  let network: TestNetwork
  before(async () => {
    network = await TestNetwork.start({ facilities: [FACILITY] })
  })
  after(() => network.stop())

  /** Asks all kinds in turn; what was heard of each. `between` undoes what slows down. */
  async function hear(kinds: readonly Kind[], between: () => Promise<unknown>): Promise<readonly (readonly Heard[])[]> {
    const heard = kinds.map((): Heard[] => [])
    for (let round = 0; round <= ROUNDS; round++) {
      await between()
      for (const [at, [, wanted]] of kinds.entries()) {
        const answer = await ask(wanted())
        // The first round makes what is made once.
        if (round > 0) heard[at]?.push(answer)
      }
    }
    return heard
  }

  /** All kinds hear the same, byte for byte, and wait about as long. */
  async function assertAlike(kinds: readonly Kind[], between: () => Promise<unknown>): Promise<Heard> {
    const offs: string[] = []
    while (offs.length < SERIES_MAX) {
      const heard = await hear(kinds, between)
      const first = assertSame(kinds, heard)
      const medians = heard.map((each) => median(each.map(({ tookMs }) => tookMs)))
      const [least, most] = [Math.min(...medians), Math.max(...medians)]
      if (most - least <= Math.max(3, most * OFF_MAX)) return first
      offs.push(kinds.map(([name], at) => `${name} ${medians[at]?.toFixed(1)} ms`).join(', '))
    }
    return assert.fail(offs.join('; '))
  }

  function assertSame(kinds: readonly Kind[], heard: readonly (readonly Heard[])[]): Heard {
    const [first] = heard.flat()
    assert.ok(first)
    for (const [at, [name]] of kinds.entries())
      for (const { status, headers, body } of heard[at] ?? [])
        assert.deepEqual(
          { status, headers, body },
          { status: first.status, headers: first.headers, body: first.body },
          name,
        )
    return first
  }

  test('at the desk: unknown, wrong, suspended, invited, left: the same answer, byte for byte, in about the same time', async () => {
    const { running, url } = network.party(FACILITY)
    const { db } = running.machine
    const statuses = ['active', 'suspended', 'invited', 'left'] as const
    for (const status of statuses) {
      await addStaff(network, FACILITY, 'nurse', `alike.${status}`)
      const proofs = status === 'invited' || status === 'left' ? { password_hash: null } : {}
      await db
        .updateTable('staff')
        .set({ status, tie: '', ...proofs })
        .where('login', '=', `alike.${status}`)
        .execute()
      await tieAll(db)
    }
    const at = (login: string) => () => ({
      url: `${url}/v1/desk/sign-in`,
      body: { login, password: 'a wrong password' },
    })
    const kinds: readonly Kind[] = [
      ['nobody', at('nobody.here')],
      ['no login at all', at('not a login!')],
      ...statuses.map((status): Kind => [status, at(`alike.${status}`)]),
    ]
    const heard = await assertAlike(kinds, () => db.deleteFrom('sign_in_throttle').execute())
    assert.equal(heard.status, 401)
  })

  test('at the desk: who has to wait hears it alike, whether there is such a login or not', async () => {
    const { url } = network.party(FACILITY)
    await addStaff(network, FACILITY, 'nurse', 'alike.waiting')
    const said: Heard[][] = []
    for (const login of ['alike.waiting', 'nobody.waits']) {
      const answers: Heard[] = []
      for (let i = 0; i < 8; i++)
        answers.push(await ask({ url: `${url}/v1/desk/sign-in`, body: { login, password: 'wrong' } }))
      said.push(answers)
    }
    const shown = said.map((answers) => answers.map(({ status, headers }) => [status, headers.includes('retry-after')]))
    assert.deepEqual(shown[0], shown[1])
    assert.equal(said[0]?.at(-1)?.status, 429)
  })

  test('in the patient app: an address with an account and one without hear the same when a code is asked for', async () => {
    await network.enrol(ASHA)
    const { url, running } = network.exchange
    const at = (abhaAddress: string) => () => ({ url: `${url}/v1/sign-in`, body: { abhaAddress } })
    const kinds: readonly Kind[] = [
      ['an account', at(ASHA.abhaAddress)],
      ['none', at('nobody.here@sbx')],
    ]
    const heard = await assertAlike(kinds, () => sql`delete from sign_in_code`.execute(running.machine.db))
    assert.equal(heard.status, 202)
  })
})
