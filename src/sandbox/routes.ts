import { z } from 'zod'
import type { SigningKey } from '../crypto/signature.ts'
import type { Tx } from '../db/tx.ts'
import { type Route, route } from '../http/route.ts'
import type { Actor } from '../kernel/caller.ts'
import { isRefusal, type Refusal } from '../kernel/refusal.ts'
import { careContextsOf } from '../linking/link-commands.ts'
import { facilityById, registerBridge, renewBridgeSecret, saveServices, updateBridgeUrl } from '../partners/commands.ts'
import { enrolPatient, issuePatientToken, listPatients, readPatient } from '../people/commands.ts'
import { bridgeAnswer, bridgeInput, patientInput, tokenInput } from './messages.ts'
import { readTextMessages } from './text-messages.ts'

type Needs = {
  readonly exchange: { readonly id: string }
  readonly signingKey: SigningKey
  readonly indexKey: Uint8Array
}

const OPERATOR: Actor = { kind: 'operator', id: 'sandbox' }
const PATIENTS_MAX = 1_000
const sandbox = { dialect: 'native', auth: 'operator', once: false } as const

/** The integrator's sandbox at the exchange: join with a bridge, act as a patient, read what a phone would have received. */
export function sandboxRoutes(needs: Needs): readonly Route[] {
  return [
    route({
      ...sandbox,
      method: 'POST',
      path: '/v1/sandbox/bridges',
      summary: 'Registers a bridge with one facility, or gives it a new secret, URL and roles',
      body: bridgeInput,
      answers: { 201: { description: 'Client id and secret; the secret is shown once', schema: bridgeAnswer } },
      handle: async ({ tx, body }) => {
        const result = await admitBridge(tx, body)
        return isRefusal(result) ? result : { status: 201, body: result }
      },
    }),
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
      path: '/v1/sandbox/patients',
      summary: 'Enrols a patient; one who is enrolled already is left as they are',
      body: patientInput,
      answers: { 201: { description: 'Enrolled' }, 200: { description: 'Was enrolled already' } },
      handle: async ({ tx, body }) => {
        if ((await readPatient(tx, body.abhaAddress)) !== undefined) return { status: 200 }
        const { email, address, guardian, language, ...rest } = body
        const profile = {
          ...rest,
          language: language ?? 'en',
          ...(email === undefined ? {} : { email }),
          ...(address === undefined ? {} : { address }),
          ...(guardian === undefined ? {} : { guardian }),
        }
        const enrolled = await enrolPatient(tx, needs, { profile, actor: OPERATOR })
        return isRefusal(enrolled) ? enrolled : { status: 201 }
      },
    }),
    route({
      ...sandbox,
      method: 'POST',
      path: '/v1/sandbox/tokens',
      summary: 'A patient session for X-AUTH-TOKEN; for a child, the session of its guardian',
      body: tokenInput,
      answers: { 201: { description: 'The token' } },
      handle: async ({ tx, body }) => {
        const guardian = body.actingGuardian ?? (await readPatient(tx, body.patient))?.guardian
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

/** Registers, or renews: an integrator who lost the secret asks again and goes on. */
async function admitBridge(
  tx: Tx,
  input: z.output<typeof bridgeInput>,
): Promise<z.output<typeof bridgeAnswer> | Refusal> {
  const services = [
    {
      id: input.id,
      name: input.name,
      roles: input.roles,
      isActive: true,
      ...(input.facilityTypes === undefined ? {} : { facilityTypes: input.facilityTypes }),
    },
  ]
  const existing = await facilityById(tx, input.id)
  if (existing === undefined) return registerBridge(tx, { name: input.name, url: input.url, services, actor: OPERATOR })
  const { clientId } = existing.bridge
  const moved = await updateBridgeUrl(tx, { clientId, url: input.url, actor: OPERATOR })
  if (isRefusal(moved)) return moved
  const saved = await saveServices(tx, { clientId, services, actor: OPERATOR })
  if (isRefusal(saved)) return saved
  const renewed = await renewBridgeSecret(tx, { clientId, actor: OPERATOR })
  return isRefusal(renewed) ? renewed : { clientId, clientSecret: renewed.clientSecret }
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
