import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { abdmRules } from '../src/abdm/rules.ts'
import { exchangeParts } from '../src/app-exchange.ts'
import { openKeyring } from '../src/app-keys.ts'
import { parseConfig } from '../src/config.ts'
import { makeSigner } from '../src/crypto/signed-note.ts'
import { makeChanges } from '../src/db/changes.ts'
import type { Connection } from '../src/db/connect.ts'
import { type Machine, type Reaction, transact } from '../src/db/tx.ts'
import { makeOutbound } from '../src/http/outbound.ts'
import { route } from '../src/http/route.ts'
import { makeServer, nativeRules } from '../src/http/server.ts'
import type { AbhaAddress, AbhaNumber, FacilityId } from '../src/kernel/id.ts'
import { must, refuse } from '../src/kernel/refusal.ts'
import { registerBridge } from '../src/partners/commands.ts'
import { issueSession } from '../src/partners/session-commands.ts'
import { enrolPatient } from '../src/people/commands.ts'
import { mayDo } from '../src/people/rules.ts'
import { openKeyFile } from '../src/vault/key-file.ts'

export const HIU = 'IN2710000022' as FacilityId
const ACTOR = { kind: 'operator', id: 'bench' } as const
const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))

export type BenchExchange = {
  readonly url: string
  readonly accessToken: string
  readonly patients: readonly AbhaAddress[]
  readonly stop: () => Promise<void>
}

/**
 * The exchange's own routes behind its own door, on a port, without worker and sequencer: what is measured is taking a request, and
 * what it leaves in the queue stays there. One route more, which does nothing, is the baseline.
 */
export async function startBenchExchange(connection: Connection, patientCount: number): Promise<BenchExchange> {
  const keysFolder = mkdtempSync(join(tmpdir(), 'amanat-bench-keys-'))
  const keys = await openKeyFile(keysFolder, random)
  const reactions = new Map<string, Reaction[]>()
  const machine: Machine = {
    db: connection.db,
    now: () => new Date(),
    random,
    keyWrap: await openKeyring({ keys: { wrap: { file: {} }, previous: [] }, keysFolder }, keys, {
      random,
      now: () => new Date(),
    }),
    reactions,
    wake: () => undefined,
    changes: makeChanges(),
  }
  const config = parseConfig(
    {
      role: 'exchange',
      id: 'sbx',
      name: 'Bench exchange',
      listen: { port: 0 },
      publicUrl: 'http://127.0.0.1:9',
      database: { url: 'postgresql://already-open' },
      keysFolder,
      log: { origin: 'bench.example/log' },
      operatorToken: 'x'.repeat(32),
      textMessages: { kind: 'sandbox' },
      contact: { name: 'Data protection officer', email: 'dpo@exchange.example' },
    },
    'the bench',
  )
  if (config.role !== 'exchange') throw new Error('not an exchange')
  const outbound = makeOutbound({ allowPrivateNetworks: true, nowMs: () => performance.now() })
  const log = pino({ level: 'silent' })
  const ownLog = { signer: makeSigner(config.log.origin, keys.logSeed), witnesses: [] }
  const parts = exchangeParts(config, { machine, keys, outbound, log, ownLog })
  for (const [type, reaction] of parts.reactions) reactions.set(type, [...(reactions.get(type) ?? []), reaction])
  const empty = route({
    method: 'POST',
    path: '/api/hiecm/bench/empty',
    summary: 'Does nothing.',
    dialect: 'abdm',
    auth: 'bridge',
    once: false,
    answers: { 202: { description: 'Nothing was done.' } },
    handle: async () => ({ status: 202 }),
  })
  const app = makeServer({
    machine,
    log,
    metrics: new Registry(),
    routes: [...parts.routes, empty],
    dialects: { native: nativeRules, abdm: abdmRules({ cmId: config.id }) },
    authenticate: {
      ...parts.authenticate,
      none: async () => ({ kind: 'anonymous' }),
      operator: async () => refuse('auth/invalid-token'),
      partner: async () => refuse('auth/invalid-token'),
    },
    mayDo,
    ready: async () => [],
    callRates: { caller: 1_000_000, address: 1_000_000 },
  })
  const patients = Array.from({ length: patientCount }, (_, i) => `bench.p${i}@sbx` as AbhaAddress)
  const accessToken = await transact(machine, async (tx) => {
    for (const [i, abhaAddress] of patients.entries()) {
      const abhaNumber = `91${String(i).padStart(12, '0')}` as AbhaNumber
      const person = {
        name: `Patient ${i}`,
        gender: 'F',
        birthDate: '1985-04-12',
        mobile: '9000000001',
        language: 'en',
      } as const
      must(await enrolPatient(tx, keys, { profile: { abhaAddress, abhaNumber, ...person }, actor: ACTOR }))
    }
    const services = [{ id: HIU, name: 'Lakeview Clinic', roles: ['hiu'], isActive: true }] as const
    const bridge = must(await registerBridge(tx, { name: 'Clinic', url: 'http://127.0.0.1:9', services, actor: ACTOR }))
    const needs = { exchange: { id: config.id }, signingKey: keys.signing }
    return must(await issueSession(tx, needs, bridge)).accessToken
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const stop = async (): Promise<void> => {
    await app.close()
    await outbound.close()
    rmSync(keysFolder, { recursive: true, force: true })
  }
  return { url, accessToken, patients, stop }
}
