import { type Machine, transact } from '../db/tx.ts'
import type { Outbound } from '../http/outbound.ts'
import { enqueue, type Job } from '../jobs/queue.ts'
import type { Chore } from '../jobs/schedule.ts'
import type { JobHandler, JobResult } from '../jobs/worker.ts'
import type { Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal } from '../kernel/refusal.ts'
import { type Scanner, scanDocument } from '../records/scanner.ts'
import { CHECK_ARTEFACT_JOB, type CheckArtefact, readUnchecked, settleCheck } from './artefacts.ts'
import { expireArtefact, tidyEarlyNotices } from './commands.ts'
import { heldCopies } from './copy-store.ts'
import { eraseWhenDue } from './erase.ts'
import { type Fetched, fetchLinks, keepFetched, readLinks } from './links.ts'
import { type OpenNeeds, openPage, readPage } from './open-page.ts'
import { OPEN_PAGE_JOB, type OpenPage } from './pages.ts'
import type { ProviderReport } from './provider-report.ts'
import { requestsToAskFor } from './report-store.ts'
import { ASK_AGAIN_JOB, type AskAgain, askAgain, destroyExpiredKey, endOverdue } from './requests.ts'
import { ASK_STATUS_JOB, type AskStatus, askIfSilent, isAwaited, takeProviderReport } from './silent-transfers.ts'
import { artefactsDue } from './store.ts'
import { requestsOverdue, requestsWithExpiredKey } from './transfer-store.ts'

export type HiuNeeds = OpenNeeds & {
  readonly outbound: Pick<Outbound, 'call'>
  readonly scanner?: Scanner
  readonly exchangeKeys: { readonly verifyArtefact: (detail: unknown, signature: string) => Promise<true | Refusal> }
  /** What a provider told the exchange when it is done with a transfer; undefined when it is not, or nothing is known. */
  readonly transferReport: (machine: Machine, transaction: Id<'transaction'>) => Promise<ProviderReport | undefined>
}

type Commit = NonNullable<Extract<JobResult, { outcome: 'done' }>['commit']>

export function hiuJobs(needs: HiuNeeds): readonly (readonly [kind: string, handler: JobHandler])[] {
  return [
    [CHECK_ARTEFACT_JOB, (machine, job) => checkArtefact(machine, needs, job.payload as CheckArtefact)],
    [
      ASK_AGAIN_JOB,
      async (_machine, job) => ({ outcome: 'done', commit: (tx) => askAgain(tx, needs, job.payload as AskAgain) }),
    ],
    [ASK_STATUS_JOB, (machine, job) => askStatus(machine, needs, job.payload as AskStatus)],
    [OPEN_PAGE_JOB, (machine, job) => openStored(machine, needs, job)],
  ]
}

async function checkArtefact(machine: Machine, needs: HiuNeeds, payload: CheckArtefact): Promise<JobResult> {
  const unchecked = await transact(machine, (tx) => readUnchecked(tx, payload))
  if (unchecked === undefined) return { outcome: 'done' }
  const verdict = await needs.exchangeKeys.verifyArtefact(unchecked.raw, unchecked.signature)
  const commit: Commit = (tx) => settleCheck(tx, needs, payload, verdict)
  // Without the exchange's keys nothing is decided; only when all tries are used up is the artefact refused.
  if (isRefusal(verdict) && verdict.code === 'machine/unavailable')
    return { outcome: 'retry', error: verdict.detail, whenDead: commit }
  return { outcome: 'done', commit }
}

/** Without an answer nothing happens: it is asked again after a while, and in the end the deadline holds. */
async function askStatus(machine: Machine, needs: HiuNeeds, payload: AskStatus): Promise<JobResult> {
  if (!(await transact(machine, (tx) => isAwaited(tx, payload)))) return { outcome: 'done' }
  const report = await needs.transferReport(machine, payload.transaction)
  if (report === undefined) return { outcome: 'done' }
  return { outcome: 'done', commit: (tx) => takeProviderReport(tx, needs, payload, report) }
}

/** Fetches what a page links to, then opens it. What was fetched in one turn is kept with the page, so that it is fetched once. */
async function openStored(machine: Machine, needs: HiuNeeds, job: Job): Promise<JobResult> {
  const payload = job.payload as OpenPage
  const links = await transact(machine, (tx) => readLinks(tx, payload))
  if (links === undefined) return { outcome: 'done' }
  const { settled, unanswered, isCutShort } = await fetchLinks(needs.outbound, links, job.attempt - 1)
  const keepSettled: Commit = (tx) => keepFetched(tx, payload, settled)
  if (isCutShort && settled.size > 0)
    return {
      outcome: 'done',
      commit: async (tx) => {
        await keepSettled(tx)
        await enqueue(tx, { kind: OPEN_PAGE_JOB, payload })
      },
    }
  const fetched = new Map([...settled, ...unanswered])
  const { unsafe, notScanned } = await scanPage(machine, needs, payload, fetched)
  const commit: Commit = (tx) => openPage(tx, needs, payload, fetched, unsafe)
  const [silent] = unanswered.values()
  const error = silent === undefined ? notScanned : `a link did not answer: ${silent.fault}`
  if (error === undefined && !isCutShort) return { outcome: 'done', commit }
  if (settled.size > 0) await transact(machine, keepSettled)
  return { outcome: 'retry', error: error ?? 'the links of a page take too long', whenDead: commit }
}

type Scanned = { readonly unsafe: ReadonlyMap<number, Refusal>; readonly notScanned?: string }

/** Before anything of a page is kept, and outside a transaction: a scanner may take its time. */
async function scanPage(
  machine: Machine,
  { scanner }: HiuNeeds,
  payload: OpenPage,
  fetched: ReadonlyMap<number, Fetched>,
): Promise<Scanned> {
  const unsafe = new Map<number, Refusal>()
  if (scanner === undefined) return { unsafe }
  let notScanned: string | undefined
  for (const { entry, document } of await transact(machine, (tx) => readPage(tx, payload, fetched))) {
    const against = await scanDocument(scanner, document)
    if (against === undefined) continue
    unsafe.set(entry, against.refusal)
    if (against.mayTryAgain) notScanned = against.refusal.detail
  }
  return { unsafe, ...(notScanned === undefined ? {} : { notScanned }) }
}

const SECOND_MS = 1_000
const BATCH = LIMITS.expiryBatchMax

/** What must happen when its time has come, whether or not anybody calls. Each item in a transaction of its own. */
export function hiuChores(machine: Machine, needs: HiuNeeds): readonly Chore[] {
  return [
    {
      name: 'hiu: erase at dataEraseAt',
      everyMs: 10 * SECOND_MS,
      run: async () => {
        for (const artefact of await transact(machine, (tx) => artefactsDue(tx, BATCH)))
          await transact(machine, (tx) => expireArtefact(tx, needs, artefact))
      },
    },
    {
      name: 'hiu: erase what no law keeps any more',
      everyMs: 60 * SECOND_MS,
      run: async () => {
        for (const copy of await transact(machine, (tx) => heldCopies(tx, { until: tx.now, limit: BATCH })))
          await transact(machine, (tx) => eraseWhenDue(tx, needs, copy))
      },
    },
    {
      name: 'hiu: ask for silent transfers',
      everyMs: 2 * SECOND_MS,
      run: async () => {
        for (const id of await transact(machine, (tx) => requestsToAskFor(tx, BATCH)))
          await transact(machine, (tx) => askIfSilent(tx, needs, id))
      },
    },
    {
      name: 'hiu: report overdue transfers',
      everyMs: 15 * SECOND_MS,
      run: async () => {
        for (const id of await transact(machine, (tx) => requestsOverdue(tx, BATCH)))
          await transact(machine, (tx) => endOverdue(tx, needs, id))
      },
    },
    {
      name: 'hiu: destroy expired keys',
      everyMs: 60 * SECOND_MS,
      run: async () => {
        for (const id of await transact(machine, (tx) => requestsWithExpiredKey(tx, BATCH)))
          await transact(machine, (tx) => destroyExpiredKey(tx, needs, id))
      },
    },
    {
      name: 'hiu: early notices',
      everyMs: 15 * SECOND_MS,
      run: () => transact(machine, (tx) => tidyEarlyNotices(tx, needs, LIMITS.earlyNoticeKeptMs)),
    },
  ]
}
