import { randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import pino from 'pino'
import { Registry } from 'prom-client'
import { CONSENT_FAILURES, consentReactions } from '../src/abdm/consent-reactions.ts'
import { exchangeConsentRoutes } from '../src/abdm/exchange-consent-routes.ts'
import { exchangeDataRoutes } from '../src/abdm/exchange-data-routes.ts'
import { exchangeEmergencyRoutes } from '../src/abdm/exchange-emergency-routes.ts'
import { exchangeOwnAppRoutes } from '../src/abdm/exchange-own-app-routes.ts'
import { exchangePatientRoutes } from '../src/abdm/exchange-patient-routes.ts'
import { ownAppReactions } from '../src/abdm/own-app-reactions.ts'
import { exchangeRightsReactions } from '../src/abdm/rights-reactions.ts'
import { abdmRules } from '../src/abdm/rules.ts'
import type { Outgoing } from '../src/abdm/send.ts'
import type { OwnLog } from '../src/audit/log.ts'
import type { ConsentNeeds } from '../src/consent/commands.ts'
import { generateSigningKey, importSigningKey } from '../src/crypto/signature.ts'
import { makeSigner } from '../src/crypto/signed-note.ts'
import { type Machine, type Reaction, type Tx, transact } from '../src/db/tx.ts'
import type { HiType } from '../src/fhir/hi-type.ts'
import type { Headers } from '../src/http/server.ts'
import { makeServer, nativeRules } from '../src/http/server.ts'
import { bucketOf } from '../src/kernel/bucket.ts'
import { type AbhaAddress, type AbhaNumber, type FacilityId, type Id, makeId } from '../src/kernel/id.ts'
import { isRefusal, must, refuse } from '../src/kernel/refusal.ts'
import { addLinks } from '../src/linking/link-commands.ts'
import { exchangePartnerRoutes } from '../src/native/exchange-partner-routes.ts'
import { meClosingRoutes } from '../src/native/me-closing-routes.ts'
import { mePolicyRoutes } from '../src/native/me-policy-routes.ts'
import { myRecordRoutes } from '../src/native/me-record-routes.ts'
import { meRequestRoutes } from '../src/native/me-request-routes.ts'
import { meSubscriptionRoutes } from '../src/native/me-subscription-routes.ts'
import { patientRoutes } from '../src/native/patient-routes.ts'
import { answerRoute } from '../src/native/question-routes.ts'
import { reportRoutes } from '../src/native/report-routes.ts'
import { registerBridge } from '../src/partners/commands.ts'
import { enrolPatient } from '../src/people/commands.ts'
import { mayDo } from '../src/people/rules.ts'
import { findStepUp, spendStepUp } from '../src/people/step-up-commands.ts'
import { ownFetchReactions } from '../src/transfer/own-fetch-reactions.ts'
import { openTestDatabase } from './database.ts'
import { makeTestClock, makeTestMachine, type TestClock } from './machine.ts'

const OPERATOR = { kind: 'operator', id: 'test' } as const
export const INDEX_KEY = new Uint8Array(32)

export const ASHA = 'asha.rao@sbx' as AbhaAddress
export const RAVI = 'ravi.k@sbx' as AbhaAddress
export const HOSPITAL = 'IN2710000011' as FacilityId
export const LAB = 'IN2710000012' as FacilityId
export const CLINIC = 'IN2710000021' as FacilityId
export const INSURER = 'IN2710000022' as FacilityId

/** Client ids of the bridges; the test's stand-in for session tokens is `Bearer <client id>`. */
const BRIDGES = { 'bridge-hip': [HOSPITAL, LAB], 'bridge-clinic': [CLINIC], 'bridge-insurer': [INSURER] } as const
export type BridgeId = keyof typeof BRIDGES

/** A consent exchange with its routes and callbacks, over a real database: messages stay in the queue to be looked at. */
export type TestExchange = {
  readonly app: FastifyInstance
  readonly machine: Machine
  readonly clock: TestClock
  readonly needs: ConsentNeeds & { readonly publicUrl: string }
  readonly ownLog: OwnLog
  readonly connectionString: string
  /** Messages that wait to leave, oldest first; each call empties the list. */
  readonly takeSent: () => Promise<readonly Outgoing[]>
  readonly asBridge: (bridge: BridgeId, path: string, body: object, headers?: Record<string, string>) => Promise<Reply>
  readonly asPatient: (
    patient: AbhaAddress,
    method: 'GET' | 'POST',
    path: string,
    body?: object,
    headers?: Record<string, string>,
  ) => Promise<Reply>
  readonly inTx: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>
  /** Events of the log about anything, by type, in order of time. */
  readonly eventTypes: () => Promise<readonly string[]>
  readonly close: () => Promise<void>
}

export type Reply = { readonly status: number; readonly body: Record<string, unknown>; readonly requestId: string }

/** Starts the exchange with two patients, a hospital and a laboratory that hold records, and two facilities that ask for them. */
export async function startTestExchange(start = new Date('2026-11-22T06:30:00.000Z')): Promise<TestExchange> {
  const database = await openTestDatabase()
  const clock = makeTestClock(start)
  const needs = {
    exchange: { id: 'sbx', name: 'Test exchange' },
    publicUrl: 'https://exchange.test',
    signingKey: importSigningKey(await generateSigningKey()),
  }
  const decisionNeeds = {
    ...needs,
    contact: { name: 'Ms Kulkarni', email: 'dpo@exchange.example' },
    publicUrl: 'https://exchange.example',
  }
  const ownLog = { signer: makeSigner('exchange.test/log', new Uint8Array(32).fill(7)), witnesses: [] }
  const reactions = new Map<string, Reaction[]>()
  for (const [type, reaction] of [
    ...consentReactions(needs),
    ...exchangeRightsReactions,
    ...ownFetchReactions(needs),
    ...ownAppReactions(needs),
  ])
    reactions.set(type, [...(reactions.get(type) ?? []), reaction])
  const machine = makeTestMachine(database, { clock, reactions })
  const inTx = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => transact(machine, work)
  await inTx(settle)
  const app = makeServer({
    machine,
    log: pino({ level: 'silent' }),
    metrics: new Registry(),
    routes: [
      ...exchangeConsentRoutes(needs),
      ...exchangeEmergencyRoutes(needs),
      ...exchangePatientRoutes(needs),
      ...exchangeDataRoutes(),
      ...reportRoutes(),
      ...exchangePartnerRoutes({ ownLog }),
      ...patientRoutes({ ownLog }),
      ...myRecordRoutes(needs),
      ...exchangeOwnAppRoutes(needs),
      answerRoute(),
      ...meRequestRoutes(decisionNeeds),
      ...mePolicyRoutes(),
      ...meSubscriptionRoutes(),
      ...meClosingRoutes({ ...needs, indexKey: INDEX_KEY, web: { party: 'sbx', origins: ['https://exchange.test'] } }),
    ],
    dialects: { native: nativeRules, abdm: abdmRules({ cmId: 'sbx' }) },
    authenticate: {
      none: nobody,
      bridge: bridgeOf,
      patient: patientOf,
      exchange: nobody,
      operator: nobody,
      staff: nobody,
      console: nobody,
      partner: partnerOfBridge,
    },
    mayDo,
    stepUp: { find: findStepUp, spend: spendStepUp },
    covers: () => true,
    ready: async () => [],
  })
  const call = async (
    method: 'GET' | 'POST',
    path: string,
    body: object | undefined,
    headers: Record<string, string>,
  ): Promise<Reply> => {
    const requestId = headers['request-id'] ?? randomUUID()
    const answer = await app.inject({
      method,
      url: path.startsWith('/v1/') ? path : `/api/hiecm${path}`,
      headers: {
        'content-type': 'application/json',
        'request-id': requestId,
        timestamp: clock.now().toISOString(),
        'x-cm-id': 'sbx',
        ...headers,
      },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    })
    return {
      status: answer.statusCode,
      body: answer.body === '' ? {} : (JSON.parse(answer.body) as Record<string, unknown>),
      requestId,
    }
  }
  return {
    app,
    machine,
    clock,
    needs,
    ownLog,
    connectionString: database.connectionString,
    inTx,
    asBridge: (bridge, path, body, headers = {}) =>
      call('POST', path, body, { authorization: `Bearer ${bridge}`, ...headers }),
    asPatient: (patient, method, path, body, headers = {}) =>
      call(method, path, body, { 'x-auth-token': patient, ...headers }),
    takeSent: () => inTx(takeJobs),
    eventTypes: async () =>
      (await database.pool.query<{ type: string }>('select type from audit_event order by at, id')).rows.map(
        ({ type }) => type,
      ),
    close: async () => {
      await app.close()
      await database.close()
    },
  }
}

const nobody = async (): Promise<{ readonly kind: 'anonymous' }> => ({ kind: 'anonymous' })

async function bridgeOf(_tx: Tx, headers: Headers) {
  const clientId = headers['authorization']?.replace('Bearer ', '') ?? ''
  const facilities = clientId in BRIDGES ? BRIDGES[clientId as BridgeId] : undefined
  return facilities === undefined ? refuse('auth/invalid-token') : ({ kind: 'bridge', clientId, facilities } as const)
}

/** On our own wire a bridge comes as the software that it is; how it proves that, and for which purpose, is tested where tokens are. */
async function partnerOfBridge(tx: Tx, headers: Headers) {
  const bridge = await bridgeOf(tx, headers)
  const purposes = headers['x-purpose'] === undefined ? [] : [headers['x-purpose']]
  return isRefusal(bridge) ? bridge : ({ ...bridge, kind: 'partner', scopes: [], purposes } as const)
}

/** The session of the web app that every patient here has; a guardian is who `x-guardian` says. */
export const SESSION = '018f0000-0000-7000-8000-000000000001' as Id<'web-session'>

async function patientOf(_tx: Tx, headers: Headers) {
  const patient = headers['x-auth-token']
  const guardian = headers['x-guardian']
  return patient === undefined
    ? refuse('auth/invalid-patient-token')
    : ({
        kind: 'patient',
        patient: patient as AbhaAddress,
        session: SESSION,
        ...(guardian === undefined ? {} : { guardian: guardian as AbhaAddress }),
      } as const)
}

async function takeJobs(tx: Tx): Promise<readonly Outgoing[]> {
  const rows = await tx.db
    .selectFrom('job')
    .select(['payload', 'lane'])
    .where('kind', '=', 'abdm.send')
    .where('status', '=', 'waiting')
    .orderBy('seq')
    .execute()
  await tx.db
    .updateTable('job')
    .set({ status: 'done', ended_at: tx.now })
    .where('kind', '=', 'abdm.send')
    .where('status', '=', 'waiting')
    .execute()
  return rows.map(({ payload, lane }) => ({ ...(payload as Outgoing), lane }))
}

async function settle(tx: Tx): Promise<void> {
  for (const [i, patient] of [ASHA, RAVI].entries()) {
    const profile = {
      abhaAddress: patient,
      abhaNumber: `9100000000000${i}` as AbhaNumber,
      name: patient === ASHA ? 'Asha Rao' : 'Ravi Kumar',
      gender: 'F' as const,
      birthDate: '1985-04-12',
      mobile: `900000000${i}`,
      language: 'en',
    }
    must(await enrolPatient(tx, { indexKey: INDEX_KEY }, { profile, actor: OPERATOR }))
  }
  const names: Readonly<Record<string, string>> = {
    [HOSPITAL]: 'City Hospital',
    [LAB]: 'Deccan Diagnostics',
    [CLINIC]: 'Lakeview Clinic',
    [INSURER]: 'Suraksha Insurance',
  }
  for (const [clientId, facilities] of Object.entries(BRIDGES)) {
    const role = clientId === 'bridge-hip' ? ('hip' as const) : ('hiu' as const)
    const services = facilities.map((id) => ({ id, name: names[id] ?? id, roles: [role], isActive: true }))
    must(await registerBridge(tx, { clientId, name: clientId, url: 'http://127.0.0.1:9', services, actor: OPERATOR }))
  }
  await link(tx, ASHA, HOSPITAL, 'MRN-1', ['visit-1', 'visit-2'], 'OPConsultation')
  await link(tx, ASHA, HOSPITAL, 'MRN-1', ['visit-1'], 'Prescription')
  await link(tx, ASHA, LAB, 'L-77', ['report-1'], 'DiagnosticReport')
  await link(tx, RAVI, HOSPITAL, 'MRN-2', ['visit-9'], 'OPConsultation')
}

/** Links care contexts without the ceremony. */
export async function link(
  tx: Tx,
  patient: AbhaAddress,
  hip: FacilityId,
  patientReference: string,
  references: readonly string[],
  hiType: HiType,
): Promise<void> {
  const contexts = references.map((careContextReference) => ({
    patientReference,
    careContextReference,
    hiType,
    patientDisplay: 'Patient',
    display: `Visit ${careContextReference}`,
  }))
  await addLinks(tx, { patient, hip, contexts, via: 'facility' })
}

/** An id of the right form that names nothing. */
export function strangerId(exchange: TestExchange, patient: AbhaAddress): Id<'artefact'> {
  return makeId(exchange.clock.now(), exchange.machine.random, bucketOf(patient))
}

export { CONSENT_FAILURES }
