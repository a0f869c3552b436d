import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { type Answer, type Call, route } from './route.ts'
import { handleProved, type StepUpCheck } from './step-up.ts'

const PROOF = 'a-proof'

/** A check that knows one proof, and what became of it. */
function makeCheck(): StepUpCheck & { readonly said: string[] } {
  const said: string[] = []
  const look = (verb: string): StepUpCheck['find'] => {
    return async (_tx, _caller, { id, act, subject }) => {
      said.push(`${verb} ${act} ${subject}`)
      return id === PROOF ? undefined : refuse('auth/step-up-needed')
    }
  }
  return { find: look('find'), spend: look('spend'), said }
}

const described = {
  method: 'POST',
  path: '/things/:id',
  summary: 'A grave act',
  dialect: 'native',
  auth: 'staff',
  once: false,
  answers: {},
} as const

async function handle(
  check: StepUpCheck | undefined,
  given: { readonly body?: object; readonly headers?: Readonly<Record<string, string>> },
  answer: Answer | Refusal = { status: 204 },
): Promise<{ readonly result: Answer | Refusal; readonly entered: boolean }> {
  let entered = false
  const row = route({
    ...described,
    body: z.object({ name: z.string() }),
    stepUp: { act: 'export.read', subject: ({ params, body }) => `${params['id']} ${body.name}` },
    handle: async () => {
      entered = true
      return answer
    },
  })
  const call = { params: { id: '7' }, headers: given.headers ?? {}, body: { name: 'x', ...given.body } }
  const result = await handleProved(check, row, call as unknown as Call<never, never>)
  return { result, entered }
}
const codeOf = (result: Answer | Refusal): string => (isRefusal(result) ? result.code : String(result.status))

test('a route that asks for a proof is not entered without one; with one it is, and the proof is spent', async () => {
  for (const given of [
    {},
    { body: { stepUp: 'another' } },
    { body: { stepUp: 7 } },
    { headers: { 'x-step-up': '' } },
  ]) {
    const check = makeCheck()
    const { result, entered } = await handle(check, given)
    assert.deepEqual([codeOf(result), entered], ['auth/step-up-needed', false])
    assert.deepEqual(check.said, ['find export.read 7 x'])
  }
  for (const given of [{ body: { stepUp: PROOF } }, { headers: { 'x-step-up': PROOF } }]) {
    const check = makeCheck()
    const { result, entered } = await handle(check, given)
    assert.deepEqual([codeOf(result), entered], ['204', true])
    assert.deepEqual(check.said, ['find export.read 7 x', 'spend export.read 7 x'])
  }
})

test('what was refused did nothing, and leaves the proof for another try', async () => {
  const check = makeCheck()
  const { result } = await handle(check, { body: { stepUp: PROOF } }, refuse('staff/not-now'))
  assert.equal(codeOf(result), 'staff/not-now')
  assert.deepEqual(check.said, ['find export.read 7 x'])
})

test('a server that cannot check lets nobody in', async () => {
  const { result, entered } = await handle(undefined, { body: { stepUp: PROOF } })
  assert.deepEqual([codeOf(result), entered], ['auth/step-up-needed', false])
})
