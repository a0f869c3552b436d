import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AbhaAddress, AbhaNumber } from '../kernel/id.ts'
import type { Patient } from '../people/patient.ts'
import { checkProfile, parseTokenExpiry } from './share.ts'

const NOW = new Date('2026-11-22T06:30:00.000Z')

test('the end of a queue token is read from seconds, text or date; else it is half an hour', () => {
  const minutes = (expiry: Parameters<typeof parseTokenExpiry>[0]) =>
    (parseTokenExpiry(expiry, NOW).getTime() - NOW.getTime()) / 60_000
  assert.equal(minutes(600), 10)
  assert.equal(minutes('1800'), 30)
  assert.equal(minutes('2026-11-22T07:30:00.000Z'), 60)
  for (const none of [undefined, null, '', 'soon']) assert.equal(minutes(none), 30)
})

test('a profile is the patient’s own, in every field', () => {
  const patient: Patient = {
    abhaAddress: 'asha.rao@sbx' as AbhaAddress,
    abhaNumber: '91000000000001' as AbhaNumber,
    name: 'Asha Rao',
    gender: 'F',
    birthDate: '1990-03-02',
    mobile: '9999999999',
    language: 'mr',
    status: 'active',
    enrolledAt: new Date('2026-01-01T00:00:00Z'),
  }
  const { abhaAddress, abhaNumber, name, gender } = patient
  const good = { abhaAddress, abhaNumber, name, gender, yearOfBirth: 1990, monthOfBirth: 3, dayOfBirth: 2 }
  assert.equal(checkProfile(patient, good), undefined)
  assert.equal(checkProfile(patient, { abhaAddress, name, gender }), undefined)
  const changes = {
    abhaAddress: 'ravi@sbx' as AbhaAddress,
    abhaNumber: '1',
    name: 'Usha Nair',
    gender: 'M',
    yearOfBirth: 1991,
    monthOfBirth: 4,
    dayOfBirth: 3,
  } as const
  for (const [field, value] of Object.entries(changes)) {
    assert.equal(checkProfile(patient, { ...good, [field]: value })?.field, `profile.patient.${field}`)
  }
})
