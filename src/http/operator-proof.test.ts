import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Caller } from '../kernel/caller.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { type OperatorProof, provedOperator } from './operator-proof.ts'

const token: Caller = { kind: 'operator', name: 'operator' }
const asha: Caller = { kind: 'operator', name: 'asha', proved: true }
const ordinary = { method: 'POST', path: '/v1/things/:id' } as const
const grave = { ...ordinary, grave: true } as const
const call = (caller: Caller, code?: string) =>
  ({ tx: {} as never, caller, headers: code === undefined ? {} : { 'x-operator-code': code } }) as const
const codeOf = (answer: unknown): unknown => (isRefusal(answer) ? answer.code : answer)

test('a grave route learns who does it from the check; any other takes the token alone', async () => {
  const asked: unknown[] = []
  const check: OperatorProof = async (_tx, caller, given) => {
    asked.push([caller, given])
    return asha
  }
  assert.equal(await provedOperator(check, ordinary, call(token, 'asha:123456')), token)
  assert.deepEqual(asked, [])
  assert.equal(await provedOperator(check, grave, call(token, 'asha:123456')), asha)
  assert.equal(await provedOperator(check, grave, call(token)), asha)
  assert.deepEqual(asked, [
    [token, { code: 'asha:123456', act: 'POST /v1/things/:id' }],
    [token, { code: undefined, act: 'POST /v1/things/:id' }],
  ])
})

test('nobody else than an operator enters a grave route, and nobody at all where nothing checks', async () => {
  const patient = { kind: 'patient', patient: 'asha.rao@sbx' } as unknown as Caller
  const check: OperatorProof = async () => asha
  assert.equal(codeOf(await provedOperator(check, grave, call(patient, 'asha:123456'))), 'operator/proof-needed')
  assert.equal(codeOf(await provedOperator(undefined, grave, call(token, 'asha:123456'))), 'operator/proof-needed')
})
