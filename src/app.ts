import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { Gauge, type Registry } from 'prom-client'
import { abdmRules } from './abdm/rules.ts'
import { SEND_JOB, sendHandler } from './abdm/send.ts'
import { exchangeParts } from './app-exchange.ts'
import { facilityParts } from './app-facility.ts'
import { keysNeeds, openKeyring } from './app-keys.ts'
import { addLogMetrics, logParts } from './app-log.ts'
import { operatorParts } from './app-operators.ts'
import { partnersOf } from './app-partners.ts'
import type { Ground, Parts } from './app-parts.ts'
import { certificatesFor, tlsChores, tlsOf } from './app-tls.ts'
import { nameOfOwnLog } from './audit/successor.ts'
import type { PartyConfig } from './config.ts'
import { makeRandom } from './crypto/native-random.ts'
import { makeChanges } from './db/changes.ts'
import { type Connection, connect } from './db/connect.ts'
import { coverExisting } from './db/cover-existing.ts'
import { migrate } from './db/migrate.ts'
import { type Machine, type Random, type Reaction, transact } from './db/tx.ts'
import { makeVeil } from './db/veil.ts'
import { addOverdueMetrics } from './desk/overdue.ts'
import { useImportedProfiles } from './fhir/package-file.ts'
import { makeFaults } from './http/faults.ts'
import { sweepMessages } from './http/message-log.ts'
import { makeOutbound, type Outbound } from './http/outbound.ts'
import { withProcessMetrics } from './http/process-metrics.ts'
import { type Headers, makeServer, nativeRules } from './http/server.ts'
import { type Chore, startSchedule } from './jobs/schedule.ts'
import { type JobHandler, startWorker } from './jobs/worker.ts'
import type { Caller } from './kernel/caller.ts'
import { isRefusal, type Refusal, refuse } from './kernel/refusal.ts'
import { keysChores } from './keys/jobs.ts'
import { keysRoutes } from './keys/routes.ts'
import { tieExisting } from './keys/tie-existing.ts'
import { operatorRoutes } from './native/operator-routes.ts'
import { endTrials } from './partners/trial-commands.ts'
import { sweepProofs } from './people/jobs.ts'
import { mayDo } from './people/rules.ts'
import { findStepUp, spendStepUp } from './people/step-up-commands.ts'
import { noteOfRestore } from './recovery/commands.ts'
import { holdBack } from './recovery/hold-back.ts'
import { addRecoveryMetrics } from './recovery/metrics.ts'
import { partySandboxRoutes } from './sandbox/party-routes.ts'
import { REPLAY_JOB, replayHandler } from './sandbox/replay.ts'
import { sweepTextMessages, TEXT_MESSAGE_JOB, textMessageHandler } from './sandbox/text-messages.ts'
import { eraseAgain } from './vault/erasures.ts'
import { openKeyFile, type PartyKeys } from './vault/key-file.ts'
import { tieKeysToDatabase } from './vault/key-tie.ts'
import type { Keyring } from './vault/key-wrap.ts'
import { sealExisting } from './vault/seal-existing.ts'

export type RunningParty = {
  readonly config: PartyConfig
  readonly url: string
  readonly machine: Machine
  /** What it does by itself now and then: who wants one done at once need not wait for its time. */
  readonly chores: readonly Chore[]
  /** No new request or job is taken; those under way end first. */
  readonly stop: () => Promise<void>
}

const JOB_POLL_MS = 1_000
const SWEEP_EVERY_MS = 3_600_000

/** Wall clock and randomness of the operating system: the only place where they enter. */
export const clock = (): Date => new Date()
export const random = makeRandom()

/** The keys of a party, made at its first start. */
export function openKeys(folder: string): Promise<PartyKeys> {
  return openKeyFile(folder, random)
}

export function randomToken(): string {
  return Buffer.from(random(32)).toString('base64url')
}

/** Starts one party: database, log, server, jobs. Throws a fault with one clear sentence when something is missing. */
export async function startParty(config: PartyConfig, databaseUrl: string, log: Logger): Promise<RunningParty> {
  const keys = await openKeyFile(config.keysFolder, random)
  if (config.profilesFolder !== undefined) await useProfiles(config.profilesFolder, log)
  const connection = await connect({
    connectionString: databaseUrl,
    veil: makeVeil(keys.indexKey, random),
    applicationName: `amanat ${config.id}`,
    poolMax: 16,
    onError: (error) => log.error({ err: error }, 'a database connection broke'),
  })
  try {
    await migrate(connection.pool)
    await coverExisting(connection.pool, clock())
    return await assemble(config, keys, connection, log)
  } catch (error) {
    await connection.close()
    throw error
  }
}

async function useProfiles(folder: string, log: Logger): Promise<void> {
  const origin = await useImportedProfiles(folder)
  if (origin === undefined)
    throw new StartFault(
      `there are no imported profiles in ${folder}. Load them with: amanat fhir import PACKAGE.tgz --out ${folder}`,
    )
  log.info({ origin }, 'using imported FHIR profiles')
}

/** What a party stands on. Only a simulation brings another clock, chance or way out than those of the operating system. */
export type Footing = {
  readonly keys: PartyKeys
  readonly keyring: Keyring
  readonly connection: Connection
  readonly log: Logger
  readonly now: () => Date
  readonly random: Random
  readonly outbound: Outbound
}

/** A party that is put together but does nothing by itself: who holds it lets it listen, work off its jobs and do its chores. */
export type BuiltParty = {
  readonly machine: Machine
  readonly app: FastifyInstance
  readonly handlers: ReadonlyMap<string, JobHandler>
  readonly chores: readonly Chore[]
  /** Restored and not confirmed: nobody may work off its jobs or do its chores. */
  readonly isHeldBack: boolean
}

function makeMachine(config: PartyConfig, footing: Footing, later: Pick<Machine, 'reactions' | 'wake'>): Machine {
  const { keyring, connection, now, random } = footing
  return {
    db: connection.db,
    now,
    random,
    keyWrap: keyring,
    ...later,
    changes: makeChanges(),
    ...(config.sandbox ? { sandbox: true } : {}),
  }
}

/** Puts a party together: its machine, its routes behind the door, its jobs and chores. `wake`: there is a job to do. */
export async function buildParty(config: PartyConfig, footing: Footing, wake: () => void): Promise<BuiltParty> {
  const { keys, keyring, connection, outbound, log } = footing
  const reactions = new Map<string, Reaction[]>()
  const machine = makeMachine(config, footing, { reactions, wake })
  await transact(machine, (tx) => tieKeysToDatabase(tx, keys, keyring))
  await eraseAgain(machine)
  await sealExisting(machine)
  const wrapping = keysNeeds(keyring)
  const restored = await noteOfRestore(machine.db)
  const logName = await nameOfOwnLog(machine.db, config.log.origin)
  const logged = logParts(config, keys, { machine, outbound, log, logName })
  const ground: Ground = { machine, keys, outbound, log, ownLog: logged.ownLog }
  const parts = config.role === 'exchange' ? exchangeParts(config, ground) : facilityParts(config, ground)
  for (const [type, reaction] of parts.reactions) reactions.set(type, [...(reactions.get(type) ?? []), reaction])

  const partners = partnersOf(config, footing)
  const tls = tlsOf(config)
  const faults = config.sandbox ? makeFaults() : undefined
  const isOperator = operatorCheck(config.operatorToken)
  const operators = operatorParts(config, keys, machine)
  for (const alarm of await operators.alarms()) log.warn(alarm)
  const routes = [
    ...parts.routes,
    ...logged.routes,
    ...operatorRoutes({ party: config, ownLog: logged.ownLog, ownWitness: logged.ownWitness }),
    ...keysRoutes(wrapping),
    ...partners.routes,
    ...(faults === undefined ? [] : partySandboxRoutes({ faults })),
  ]
  const app = makeServer({
    machine,
    log,
    metrics: makeMetrics(machine),
    routes: restored === undefined ? routes : holdBack(routes),
    ...(faults === undefined ? {} : { faults }),
    web: [...parts.web, { path: '/verify', name: 'verify' }],
    dialects: { native: nativeRules, abdm: abdmRules(config.role === 'exchange' ? { cmId: config.id } : {}) },
    authenticate: {
      ...parts.authenticate,
      none: async () => ({ kind: 'anonymous' }),
      operator: async (_tx, headers) => isOperator(headers),
      partner: partners.check,
    },
    mayDo,
    covers: partners.covers,
    certificateProxies: config.listen.certificateProxies,
    ...(tls === undefined ? {} : { tls }),
    stepUp: { find: findStepUp, spend: spendStepUp },
    operatorProof: operators.proof,
    ready: async () => [
      ...(await missingParts(connection)),
      ...parts.missing(),
      ...(restored === undefined ? [] : ['confirmation of the restore']),
    ],
    alarms: async () => [...(await logged.alarms()), ...(await operators.alarms())],
    isOperator: (headers) => !isRefusal(isOperator(headers)),
    callRates: config.callsPerSecond,
    onRefused: logged.onRefused,
    trustedProxies: config.listen.trustedProxies,
    isSecure: config.publicUrl.startsWith('https://'),
  })
  const chores = [
    ...parts.chores,
    ...logged.chores,
    ...keysChores(machine, wrapping, parts.forget, log),
    ...tlsChores(config, app, log),
    sweep(machine),
  ]
  const handlers = new Map([...handlersOf(config, parts, ground), ...logged.handlers])
  return { machine, app, handlers, chores, isHeldBack: restored !== undefined }
}

async function assemble(
  config: PartyConfig,
  keys: PartyKeys,
  connection: Connection,
  log: Logger,
): Promise<RunningParty> {
  let wake = (): void => undefined
  const outbound = makeOutbound({
    allowPrivateNetworks: config.allowPrivateNetworks,
    ...(config.callsOnly === undefined ? {} : { hosts: config.callsOnly }),
    nowMs: () => performance.now(),
    certificates: certificatesFor(config),
  })
  const keyring = await openKeyring(config, keys, { random, now: clock })
  const footing: Footing = { keys, keyring, connection, log, now: clock, random, outbound }
  const { machine, app, handlers, chores, isHeldBack } = await buildParty(config, footing, () => wake())
  await tieRows(machine, config.keysFolder, log)
  if (config.role === 'exchange' && !config.sandbox && !isHeldBack) await endPilot(machine, log)
  const worker = isHeldBack ? undefined : startWorker({ machine, handlers, log, pollMs: JOB_POLL_MS })
  if (worker === undefined)
    log.warn('this database was restored: nothing is answered or done before amanat restore confirm')
  else wake = worker.wake
  const schedule = startSchedule(isHeldBack ? [] : chores, log)
  const stop = async (): Promise<void> => {
    await app.close()
    await worker?.stop()
    await schedule.stop()
    await outbound.close()
    await keyring.close()
    await connection.close()
  }
  try {
    await app.listen({ host: config.listen.host, port: config.listen.port })
  } catch (error) {
    await stop()
    throw portFault(error, config)
  }
  return { config, url: config.publicUrl, machine, chores, stop }
}

/** Old rows are tied once; who comes from an older copy of the database has to say so. */
async function tieRows(machine: Machine, keysFolder: string, log: Logger): Promise<void> {
  const doubtful = await tieExisting(machine, keysFolder)
  if (doubtful.length > 0)
    log.warn(
      { doubtful },
      'the database has no mark that its rows were tied, the keys folder has: rows without a tie are refused. After an older backup, or a migration that was undone, remove ties.json from the keys folder and start again.',
    )
}

/** A network may have been a sandbox until now: then whoever came had a place in it. */
async function endPilot(machine: Machine, log: Logger): Promise<void> {
  const waiting = await endTrials(machine)
  if (waiting > 0)
    log.warn({ waiting }, 'services that took part on trial, in a sandbox, wait until an operator confirms each')
}

function handlersOf(config: PartyConfig, parts: Parts, ground: Ground): ReadonlyMap<string, JobHandler> {
  const { outbound, log } = ground
  const texts =
    config.textMessages.kind === 'webhook'
      ? ({ kind: 'webhook', url: config.textMessages.url, outbound } as const)
      : ({ kind: 'sandbox' } as const)
  return new Map<string, JobHandler>([
    ...parts.handlers,
    [SEND_JOB, sendHandler({ outbound, sender: parts.sender, failures: new Map(parts.failures), log })],
    [TEXT_MESSAGE_JOB, textMessageHandler(texts, parts.textUndelivered)],
    ...(config.sandbox ? [[REPLAY_JOB, replayHandler({ outbound, sender: parts.sender })] as const] : []),
  ])
}

export class StartFault extends Error {
  override readonly name = 'StartFault'
}

function portFault(error: unknown, config: PartyConfig): Error {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  const { host, port } = config.listen
  if (code === 'EADDRINUSE')
    return new StartFault(
      `${config.name} cannot listen on ${host}:${port}: another program is using that port. Stop it, or choose another port (AMANAT_PORT for the sample network, listen.port for a party of your own).`,
    )
  if (code === 'EACCES')
    return new StartFault(
      `${config.name} may not listen on ${host}:${port}: ports below 1024 need more rights. Choose a higher port.`,
    )
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return new StartFault(
      `${config.name} cannot listen on ${host}: this machine has no such address. Write 127.0.0.1 or 0.0.0.0.`,
    )
  return error instanceof Error ? error : new Error(String(error))
}

/** Compares digests, so that neither length nor place of the first difference shows in the time it takes. */
function operatorCheck(operatorToken: string): (headers: Headers) => Caller | Refusal {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  const wanted = digest(operatorToken)
  return (headers) => {
    const sent = /^Bearer (.+)$/i.exec(headers['authorization'] ?? '')?.[1]
    if (sent === undefined) return refuse('auth/missing-token', 'Send the operator token: Authorization: Bearer …')
    return timingSafeEqual(digest(sent), wanted) ? { kind: 'operator', name: 'operator' } : refuse('auth/invalid-token')
  }
}

async function missingParts(connection: Connection): Promise<readonly string[]> {
  try {
    await connection.pool.query('select 1')
    return []
  } catch {
    // What exactly is wrong stands in the log of the pool; here only that it is not there.
    return ['database']
  }
}

function makeMetrics(machine: Machine): Registry {
  const registry = withProcessMetrics()
  new Gauge({
    name: 'amanat_jobs',
    help: 'Jobs in the queue, by status',
    labelNames: ['status'],
    registers: [registry],
    async collect() {
      const rows = await machine.db
        .selectFrom('job')
        .select(['status', (eb) => eb.fn.countAll<number>().as('count')])
        .where('status', '<>', 'done')
        .groupBy('status')
        .execute()
      this.reset()
      for (const status of ['waiting', 'dead'])
        this.set({ status }, Number(rows.find((row) => row.status === status)?.count ?? 0))
    },
  })
  addLogMetrics(registry, machine)
  addRecoveryMetrics(registry, machine)
  addOverdueMetrics(registry, machine)
  return registry
}

function sweep(machine: Machine): Chore {
  return {
    name: 'sweep messages',
    everyMs: SWEEP_EVERY_MS,
    run: async () => {
      await sweepMessages(machine.db, machine.now())
      await sweepTextMessages(machine)
      await transact(machine, sweepProofs)
    },
  }
}
