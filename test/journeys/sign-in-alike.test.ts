import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sql } from 'kysely'
import { tieAll } from '../../src/keys/tie-existing.ts'
import { comeBack } from '../come-back.ts'
import { TestNetwork } from '../network.ts'
import { ASHA } from '../people.ts'
import { addStaff } from '../staff.ts'
import { waitFor } from '../wait.ts'

const FACILITY = 'IN2710000011'
/** Tries of each kind, one after another in turn: a busy moment of the machine hits all kinds alike. */
const ROUNDS = 9
/** A median may differ by this much: far less than a password costs, which is what a shortcut would save. */
const OFF_MAX = 0.35
/** A difference that the program makes shows in every series; one that the machine made is gone in the next. */
const SERIES_MAX = 8

type Heard = { readonly status: number; readonly headers: string; readonly body: string; readonly tookMs: number }
type Kind = readonly [name: string, ask: () => { readonly url: string; readonly body: object }]

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

const isAlike = (tookMs: readonly number[]): boolean => {
  const [least, most] = [Math.min(...tookMs), Math.max(...tookMs)]
  return most - least <= Math.max(3, most * OFF_MAX)
}

/** What stands in an answer, but for what differs in any two answers: the trace, the date, and ids made at random. */
async function ask({ url, body }: { readonly url: string; readonly body: object }): Promise<Heard> {
  const started = performance.now()
  const answer = await comeBack(url, {
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

  /** Asks all kinds in turn, in each round another one first; what was heard of each. `between` undoes what an answer left behind. */
  async function hear(kinds: readonly Kind[], between: () => Promise<unknown>): Promise<readonly (readonly Heard[])[]> {
    const heard = kinds.map((): Heard[] => [])
    for (let round = 0; round <= ROUNDS; round++)
      for (let turn = 0; turn < kinds.length; turn++) {
        const at = (round + turn) % kinds.length
        const wanted = kinds[at]?.[1]
        assert.ok(wanted)
        await between()
        const answer = await ask(wanted())
        // The first round makes what is made once.
        if (round > 0) heard[at]?.push(answer)
      }
    return heard
  }

  /** All kinds hear the same, byte for byte, and wait about as long. */
  async function assertAlike(kinds: readonly Kind[], between: () => Promise<unknown>): Promise<Heard> {
    const offs: string[] = []
    let least = kinds.map(() => Number.POSITIVE_INFINITY)
    while (offs.length < SERIES_MAX) {
      const heard = await hear(kinds, between)
      const first = assertSame(kinds, heard)
      const medians = heard.map((each) => median(each.map(({ tookMs }) => tookMs)))
      // A busy machine only adds to a time: the least of several series is the nearest to what the program takes.
      least = least.map((known, at) => Math.min(known, medians[at] ?? known))
      if (isAlike(medians) || isAlike(least)) return first
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
    const { url, running } = network.party(FACILITY)
    await addStaff(network, FACILITY, 'nurse', 'alike.waiting')
    const heardOf = async (login: string): Promise<string> => {
      await running.machine.db.deleteFrom('sign_in_throttle').execute()
      const said: unknown[] = []
      for (let i = 0; i < 8; i++) {
        const { status, headers } = await ask({ url: `${url}/v1/desk/sign-in`, body: { login, password: 'wrong' } })
        said.push([status, headers.includes('retry-after')])
      }
      return JSON.stringify(said)
    }
    const wanted = JSON.stringify([...Array(6).fill([401, false]), [429, true], [429, true]])
    for (const login of ['alike.waiting', 'nobody.waits']) {
      let heard = await heardOf(login)
      // The first wait is one second: on a busy machine it may be over before the next guess comes.
      for (let series = 1; heard !== wanted && series < SERIES_MAX; series++) heard = await heardOf(login)
      assert.equal(heard, wanted, login)
    }
  })

  test('in the patient app: an address with an account and one without hear the same when a code is asked for', async () => {
    await network.enrol(ASHA)
    const { url, running } = network.exchange
    const at = (abhaAddress: string) => () => ({ url: `${url}/v1/sign-in`, body: { abhaAddress } })
    const kinds: readonly Kind[] = [
      ['an account', at(ASHA.abhaAddress)],
      ['none', at('nobody.here@sbx')],
    ]
    const { db } = running.machine
    const heard = await assertAlike(kinds, async () => {
      // What is done for one of them after the answer must not fall into the time of the next.
      await waitFor('the jobs to be done', async () => {
        const { rows } = await sql`select from job where status = 'waiting' and run_at <= now()`.execute(db)
        return rows.length === 0
      })
      await sql`delete from sign_in_code`.execute(db)
    })
    assert.equal(heard.status, 202)
  })
})
