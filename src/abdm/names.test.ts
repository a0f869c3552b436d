import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { z } from 'zod'
import { newConsentRequest } from '../hiu/messages.ts'
import { newPatient } from '../records/messages.ts'
import { consentInit } from './consent-messages.ts'
import { bridgeServices } from './gateway-messages.ts'
import { bridgeAdmission, facilityConfirmation, patientEnrolment } from './operator-messages.ts'

const PATIENT = {
  abhaAddress: 'asha.rao@sbx',
  abhaNumber: '91000000000001',
  gender: 'F',
  birthDate: '1990-03-02',
  mobile: '9999999999',
}
const OWN = { reference: 'R-1', gender: 'female', birthDate: '1990-03-02' }
const BRIDGE = { id: 'IN2710000011', url: 'https://bridge.example', roles: ['hip'] }

/** Whose name stands in text messages to patients. */
const IN_TEXTS: ReadonlySet<string> = new Set([
  'a bridge and its facility',
  'a facility, as the operator knows it',
  'a service of a bridge',
])

/** Where a name comes in that people decide by, and at which path a fault of it is told. */
const DOORS: Readonly<Record<string, readonly [schema: z.ZodType, path: string, make: (name: string) => object]>> = {
  'a patient at the exchange': [patientEnrolment, 'name', (name) => ({ ...PATIENT, name })],
  'a patient at a facility': [newPatient, 'name', (name) => ({ ...OWN, name })],
  'a bridge and its facility': [bridgeAdmission, 'name', (name) => ({ ...BRIDGE, name })],
  'a facility, as the operator knows it': [facilityConfirmation, 'name', (name) => ({ name })],
  'a service of a bridge': [
    bridgeServices,
    '0.name',
    (name) => [{ id: 'IN2710000011', name, type: 'HIP', active: true }],
  ],
  'a requester, over ABDM': [consentInit, 'consent.requester.name', (name) => ({ consent: { requester: { name } } })],
  'a requester, at a facility': [newConsentRequest, 'requester.name', (name) => ({ requester: { name } })],
}

test('a name that hides, turns or says nothing enters by no door; one with joiners by each', () => {
  for (const [door, [schema, path, make]] of Object.entries(DOORS)) {
    const faultsOf = (name: string): readonly string[] =>
      (schema.safeParse(make(name)).error?.issues ?? [])
        .filter((issue) => issue.path.join('.') === path)
        .map(({ message }) => message)
    for (const bad of ['City \u202elatipsoH', 'Asha\u200b Rao', ' \u3000 ', '.', 'Asha\nRao', 'Asha\u0000'])
      assert.equal(faultsOf(bad).length, 1, `${door}: ${JSON.stringify(bad)}`)
    for (const good of ['Asha Rao', 'അവന\u0d4d\u200d നായർ', 'محمد\u200cعلی خاں'])
      assert.deepEqual(faultsOf(good), [], door)
    for (const link of ['Pay at evil.example', 'http://evil.example', 'Call 9123456789'])
      assert.equal(faultsOf(link).length, IN_TEXTS.has(door) ? 1 : 0, `${door}: ${link}`)
  }
})
