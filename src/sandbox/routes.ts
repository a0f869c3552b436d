import { z } from 'zod'
import type { SigningKey } from '../crypto/signature.ts'
import type { Tx } from '../db/tx.ts'
import { type Route, route } from '../http/route.ts'
import type { Actor } from '../kernel/caller.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { careContextsOf } from '../linking/link-commands.ts'
import { issuePatientToken, listPatients, readPatient } from '../people/commands.ts'
import { mayActFor } from '../people/patient.ts'
import { tokenInput } from './messages.ts'
import { readTextMessages } from './text-messages.ts'

type Needs = {
  readonly exchange: { readonly id: string }
  readonly signingKey: SigningKey
}

const OPERATOR: Actor = { kind: 'operator', id: 'sandbox' }
const PATIENTS_MAX = 1_000
const sandbox = { dialect: 'native', auth: 'operator', once: false } as const

/** The integrator's sandbox at the exchange: see who lives here, act as a patient, read what a phone would have received. */
export function sandboxRoutes(needs: Needs): readonly Route[] {
  return [
    route({
      ...sandbox,
      method: 'GET',
      path: '/v1/sandbox/patients',
      summary: 'Everybody who lives here, with their linked care contexts',
      answers: { 200: { description: 'Patients, by ABHA address' } },
      handle: async ({ tx }) => ({ status: 200, body: await describePatients(tx) }),
    }),
    route({
      ...sandbox,
      method: 'POST',
      path: '/v1/sandbox/tokens',
      summary: 'A patient session for X-AUTH-TOKEN; for a child, the session of its guardian',
      body: tokenInput,
      answers: { 201: { description: 'The token' } },
      handle: async ({ tx, body }) => {
        const patient = await readPatient(tx, body.patient)
        const named = patient?.guardian
        const acting = patient && named && mayActFor(named, patient, tx.now) ? named : undefined
        const guardian = body.actingGuardian ?? acting
        const issued = await issuePatientToken(tx, needs, {
          patient: body.patient,
          actor: OPERATOR,
          ...(guardian === undefined ? {} : { guardian }),
        })
        return isRefusal(issued) ? issued : { status: 201, body: { token: issued.token } }
      },
    }),
    textMessagesRoute(),
  ]
}

/** What a phone would have received: one-time passwords above all. Every party of the sandbox has it. */
export function textMessagesRoute(): Route {
  return route({
    ...sandbox,
    method: 'GET',
    path: '/v1/sandbox/text-messages',
    summary: 'The newest text messages, in place of a phone',
    query: z.object({ mobile: z.string().optional() }),
    answers: { 200: { description: 'Newest first' } },
    handle: async ({ tx, query }) => ({ status: 200, body: await readTextMessages(tx, query.mobile, 20) }),
  })
}

async function describePatients(tx: Tx): Promise<readonly object[]> {
  const described: object[] = []
  for (const { abhaAddress, abhaNumber, name, gender, birthDate, mobile } of await listPatients(tx, PATIENTS_MAX)) {
    const contexts = await careContextsOf(tx, abhaAddress)
    described.push({
      abhaAddress,
      abhaNumber,
      name,
      gender,
      birthDate,
      mobile,
      careContexts: contexts.map(({ hip, patientReference, careContextReference, hiType }) => ({
        hip,
        patientReference,
        careContextReference,
        hiType,
      })),
    })
  }
  return described
}
