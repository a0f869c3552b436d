import { disclosureStop } from '../audit/watch/alarm.ts'
import { type Machine, transact } from '../db/tx.ts'
import { logMessage, withoutSecret } from '../http/message-log.ts'
import type { CallOutcome, Outbound } from '../http/outbound.ts'
import type { Job } from '../jobs/queue.ts'
import type { Chore } from '../jobs/schedule.ts'
import type { JobHandler, JobResult } from '../jobs/worker.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { readPatient } from '../records/commands.ts'
import type { FacilityPatient } from '../records/patient.ts'
import { type RecordHead, type RecordSource, SourceUnavailable } from '../records/record.ts'
import type { Scanner } from '../records/scanner.ts'
import { expireArtefacts } from './artefact-commands.ts'
import { collect } from './collect.ts'
import {
  answerDiscovery,
  DISCOVER_JOB,
  type DiscoverPayload,
  findMatch,
  sweepDiscoveries,
} from './discovery-commands.ts'
import {
  LINK_JOB,
  type LinkNeeds,
  type LinkPayload,
  NOTIFY_JOB,
  type NotifyPayload,
  offerContexts,
  tellNewData,
} from './link-commands.ts'
import type { TransferKey } from './store-transfers.ts'
import { askGate } from './transfer.ts'
import {
  beginCollecting,
  beginPage,
  COLLECT_JOB,
  closeTransfer,
  DEADLINE_JOB,
  PUSH_JOB,
  type PushPayload,
  savePages,
  settlePage,
} from './transfer-commands.ts'

export type HipNeeds = LinkNeeds & {
  readonly sources: readonly RecordSource[]
  readonly scanner?: Scanner
  readonly outbound: Outbound
}

/** Handlers of this room's jobs, by kind. `text-message` is handled elsewhere. */
export function hipJobs(needs: HipNeeds): readonly (readonly [kind: string, handler: JobHandler])[] {
  return [
    [LINK_JOB, (machine, job) => runLink(machine, needs, job.payload as LinkPayload)],
    [NOTIFY_JOB, (machine, job) => runNotify(machine, needs, job.payload as NotifyPayload)],
    [DISCOVER_JOB, (machine, job) => runDiscovery(machine, needs, job.payload as DiscoverPayload)],
    [COLLECT_JOB, (machine, job) => runCollect(machine, needs, job.payload as TransferKey)],
    [PUSH_JOB, (machine, job) => runPush(machine, needs, job)],
    [DEADLINE_JOB, (machine, job) => runDeadline(machine, needs, job.payload as TransferKey)],
  ]
}

/** What this room does by the clock. */
export function hipChores(machine: Machine, needs: LinkNeeds): readonly Chore[] {
  return [
    { name: 'hip.expire-artefacts', everyMs: 60_000, run: async () => void (await expireArtefacts(machine, needs)) },
    { name: 'hip.sweep-discoveries', everyMs: 3_600_000, run: () => transact(machine, sweepDiscoveries) },
  ]
}

/** All records of a patient, of all sources; throws `SourceUnavailable` when one does not answer. */
async function listAll(
  machine: Machine,
  sources: readonly RecordSource[],
  patient: FacilityPatient,
): Promise<readonly RecordHead[]> {
  const lists: (readonly RecordHead[])[] = []
  for (const source of sources) lists.push(await source.list(machine, patient))
  return lists.flat()
}

async function runLink(machine: Machine, needs: HipNeeds, payload: LinkPayload): Promise<JobResult> {
  const patient = await transact(machine, (tx) => readPatient(tx, payload.patientReference))
  if (isRefusal(patient)) return { outcome: 'give-up', error: patient.detail }
  return unlessUnavailable(async () => {
    const heads = await listAll(machine, needs.sources, patient)
    return { outcome: 'done', commit: (tx) => offerContexts(tx, needs, payload, heads) }
  })
}

async function runNotify(_machine: Machine, needs: HipNeeds, payload: NotifyPayload): Promise<JobResult> {
  return { outcome: 'done', commit: (tx) => tellNewData(tx, needs, payload) }
}

/** Discovery must be answered in 10 seconds: a source that does not answer is told at once, not tried again. */
async function runDiscovery(machine: Machine, needs: HipNeeds, payload: DiscoverPayload): Promise<JobResult> {
  const found = await transact(machine, (tx) => findMatch(tx, needs, payload.wanted))
  let heads: readonly RecordHead[] | Refusal = []
  try {
    if (found !== undefined) heads = await listAll(machine, needs.sources, found.patient)
  } catch (error) {
    if (!(error instanceof SourceUnavailable)) throw error
    heads = refuse('records/unavailable')
  }
  return { outcome: 'done', commit: (tx) => answerDiscovery(tx, needs, payload, found, heads) }
}

async function runCollect(machine: Machine, needs: HipNeeds, key: TransferKey): Promise<JobResult> {
  const begun = await transact(machine, (tx) => beginCollecting(tx, needs, key))
  const detail = begun?.held.detail
  if (begun === undefined || detail === undefined) return { outcome: 'done' }
  return unlessUnavailable(async () => {
    const decision = askGate(begun.transfer, begun.held, needs.facility.id, [], machine.now())
    const { pages, omissions } = await collect(machine, needs, begun.transfer, detail, decision, begun.access)
    return { outcome: 'done', commit: (tx) => savePages(tx, needs, key, pages, omissions) }
  })
}

async function unlessUnavailable(work: () => Promise<JobResult>): Promise<JobResult> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof SourceUnavailable) return { outcome: 'retry', error: error.message }
    throw error
  }
}

/**
 * One try of one page. What comes of it is recorded in the transaction that settles the job. Goes out without our session token:
 * the requester chose the address, and with the token it could act as this facility at the exchange. The seal proves the page.
 */
async function runPush(machine: Machine, needs: HipNeeds, job: Job): Promise<JobResult> {
  const payload = job.payload as PushPayload
  const begun = await transact(
    machine,
    async (tx) => (await disclosureStop(tx)) ?? (await beginPage(tx, needs, payload)),
  )
  if (begun === undefined) return { outcome: 'done' }
  if (isRefusal(begun)) {
    const end = { status: 'failed', error: begun.detail, nothingSent: true } as const
    return { outcome: 'retry', error: begun.detail, whenDead: (tx) => settlePage(tx, needs, payload, end) }
  }
  const { transfer, body } = begun
  const at = machine.now()
  const peer = transfer.hiu === '' ? new URL(transfer.pushUrl).host : transfer.hiu
  return judgePush(
    needs,
    job,
    await pushOnce(needs.outbound, machine, job, { push: { url: transfer.pushUrl, peer, body }, at }),
  )
}

/** One page as it goes to the requester's address. */
export type Push = { readonly url: string; readonly peer: string; readonly body: string }

/** One try of one page, written into the delivery log whatever comes of it. `replayOf`: it repeats that one by hand. */
export async function pushOnce(
  outbound: Outbound,
  machine: Machine,
  job: Job,
  sent: { readonly push: Push; readonly at: Date; readonly replayOf?: string },
): Promise<CallOutcome> {
  const { push, at, replayOf } = sent
  const headers = { 'content-type': 'application/json', accept: 'application/json' }
  const timeoutMs = LIMITS.pushTimeoutMs
  const outcome = await outbound.call({ method: 'POST', url: push.url, headers, body: push.body, timeoutMs })
  const answer = outcome.kind === 'answered' ? outcome.body.toString('utf8') : undefined
  await logMessage(
    machine,
    {
      at,
      direction: 'out',
      peer: push.peer,
      method: 'POST',
      path: withoutSecret(new URL(push.url).pathname),
      body: JSON.parse(push.body) as unknown,
      tookMs: outcome.tookMs,
      job: job.id,
      attempt: job.attempt,
      ...(outcome.kind === 'answered' ? { status: outcome.status, answer: answer ?? '' } : { error: outcome.reason }),
    },
    {
      headers,
      body: push.body,
      answerHeaders: outcome.kind === 'answered' ? outcome.headers : {},
      ...(answer === undefined ? {} : { answer }),
      resend: { push },
      ...(replayOf === undefined ? {} : { replayOf }),
    },
  )
  return outcome
}

function judgePush(needs: HipNeeds, job: Job, outcome: CallOutcome): JobResult {
  const payload = job.payload as PushPayload
  if (outcome.kind === 'answered' && outcome.status >= 200 && outcome.status < 300) {
    return { outcome: 'done', commit: (tx) => settlePage(tx, needs, payload, { status: 'sent' }) }
  }
  const error =
    outcome.kind === 'answered'
      ? `The requester answered ${outcome.status}.`
      : `The requester could not be reached: ${outcome.reason}.`
  const nothingSent = outcome.kind === 'forbidden' && job.attempt === 1
  const passing = outcome.kind === 'failed' || (outcome.kind === 'answered' && isPassing(outcome.status))
  const fail = (tx: Parameters<typeof settlePage>[0]): Promise<void> =>
    settlePage(tx, needs, payload, { status: 'failed', error, nothingSent })
  return passing ? { outcome: 'retry', error, whenDead: fail } : { outcome: 'give-up', error, commit: fail }
}

/** Redirects are not followed: what the consent names is the address, not where it points. */
function isPassing(status: number): boolean {
  return status >= 500 || status === 401 || status === 408 || status === 425 || status === 429
}

async function runDeadline(_machine: Machine, needs: HipNeeds, key: TransferKey): Promise<JobResult> {
  return { outcome: 'done', commit: (tx) => closeTransfer(tx, needs, key) }
}
