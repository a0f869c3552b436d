import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type ArtefactStatus,
  endOfRequest,
  moveArtefact,
  moveRequest,
  type RequestStatus,
  type RequestVerb,
} from './consent.ts'

const STATES: readonly RequestStatus[] = ['REQUESTED', 'GRANTED', 'DENIED', 'REVOKED', 'EXPIRED']
const VERBS: readonly RequestVerb[] = ['approve', 'deny', 'expire', 'revoke-last', 'expire-last']

test('every pair of a request state and a verb: the legal moves, and no others', () => {
  const legal: Readonly<Record<string, RequestStatus>> = {
    'REQUESTED approve': 'GRANTED',
    'REQUESTED deny': 'DENIED',
    'REQUESTED expire': 'EXPIRED',
    'GRANTED revoke-last': 'REVOKED',
    'GRANTED expire-last': 'EXPIRED',
  }
  for (const state of STATES)
    for (const verb of VERBS) assert.equal(moveRequest(state, verb), legal[`${state} ${verb}`], `${state} ${verb}`)
})

test('every pair of an artefact state and a verb', () => {
  const legal: Readonly<Record<string, ArtefactStatus>> = { 'GRANTED revoke': 'REVOKED', 'GRANTED expire': 'EXPIRED' }
  for (const state of ['GRANTED', 'REVOKED', 'EXPIRED'] as const) {
    for (const verb of ['revoke', 'expire'] as const)
      assert.equal(moveArtefact(state, verb), legal[`${state} ${verb}`], `${state} ${verb}`)
  }
})

test('a request ends with its last artefact: REVOKED when all were revoked, else EXPIRED', () => {
  const cases: readonly [readonly ArtefactStatus[], string | undefined][] = [
    [[], undefined],
    [['GRANTED'], undefined],
    [['REVOKED', 'GRANTED', 'EXPIRED'], undefined],
    [['REVOKED'], 'revoke-last'],
    [['REVOKED', 'REVOKED'], 'revoke-last'],
    [['EXPIRED', 'REVOKED'], 'expire-last'],
    [['EXPIRED'], 'expire-last'],
  ]
  for (const [statuses, verb] of cases) assert.equal(endOfRequest(statuses), verb, statuses.join(' '))
})
