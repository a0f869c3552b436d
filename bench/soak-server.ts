// The exchange of bench/soak.ts, whole, in a process of its own: says where it is, and on asking what it holds once rubbish is collected.
// Run by bench/soak.ts: node --expose-gc bench/soak-server.ts <database> <port> <where callbacks go>
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { pino } from 'pino'
import { openKeys, startParty } from '../src/app.ts'
import { parseConfig } from '../src/config.ts'
import { transact } from '../src/db/tx.ts'
import type { AbhaAddress, AbhaNumber } from '../src/kernel/id.ts'
import { must } from '../src/kernel/refusal.ts'
import { registerBridge } from '../src/partners/commands.ts'
import { issueSession } from '../src/partners/session-commands.ts'
import { enrolPatient } from '../src/people/commands.ts'
import { HIU } from './exchange.ts'

const ACTOR = { kind: 'operator', id: 'bench' } as const
const PATIENTS = 2_000
const COLLECT_TIMES = 3

export type SoakReady = { readonly accessToken: string; readonly patients: readonly string[] }
export type SoakMemory = { readonly heap: number; readonly external: number; readonly resident: number }

const [databaseUrl = '', port = '0', callbacks = ''] = process.argv.slice(2)
const keysFolder = mkdtempSync(join(tmpdir(), 'amanat-bench-keys-'))
const config = parseConfig(
  {
    role: 'exchange',
    id: 'sbx',
    name: 'Bench exchange',
    listen: { port: Number(port), trustedProxies: ['127.0.0.1'] },
    publicUrl: `http://127.0.0.1:${port}`,
    callsPerSecond: { caller: 1_000_000, address: 1_000_000 },
    allowPrivateNetworks: true,
    database: { url: databaseUrl },
    keysFolder,
    log: { origin: 'bench.example/log' },
    operatorToken: 'x'.repeat(32),
    textMessages: { kind: 'sandbox' },
    contact: { name: 'Data protection officer', email: 'dpo@exchange.example' },
  },
  'the bench',
)
const party = await startParty(config, databaseUrl, pino({ level: 'silent' }))
const keys = await openKeys(keysFolder)
const patients = Array.from({ length: PATIENTS }, (_, i) => `bench.p${i}@sbx` as AbhaAddress)
const accessToken = await transact(party.machine, async (tx) => {
  for (const [i, abhaAddress] of patients.entries()) {
    const abhaNumber = `91${String(i).padStart(12, '0')}` as AbhaNumber
    const person = { name: `Patient ${i}`, gender: 'F', birthDate: '1985-04-12', mobile: '9000000001', language: 'en' }
    const profile = { abhaAddress, abhaNumber, ...person } as const
    must(await enrolPatient(tx, keys, { profile: { ...profile, gender: 'F', language: 'en' }, actor: ACTOR }))
  }
  const services = [{ id: HIU, name: 'Lakeview Clinic', roles: ['hiu'], isActive: true }] as const
  const bridge = must(await registerBridge(tx, { name: 'Clinic', url: callbacks, services, actor: ACTOR }))
  return must(await issueSession(tx, { exchange: { id: config.id }, signingKey: keys.signing }, bridge)).accessToken
})

async function measure(): Promise<SoakMemory> {
  for (let i = 0; i < COLLECT_TIMES; i++) {
    globalThis.gc?.()
    await pause(100)
  }
  const { heapUsed: heap, external, rss: resident } = process.memoryUsage()
  return { heap, external, resident }
}

process.on('message', (asked) => {
  if (asked === 'measure') void measure().then((memory) => process.send?.(memory))
})
process.once('disconnect', () => {
  void party.stop().then(() => rmSync(keysFolder, { recursive: true, force: true }))
})
process.send?.({ accessToken, patients } satisfies SoakReady)
