import type { Logger } from 'pino'
import type { FailureReaction, Sender } from './abdm/send.ts'
import type { OwnLog } from './audit/log.ts'
import type { Machine, Reaction } from './db/tx.ts'
import type { Outbound } from './http/outbound.ts'
import type { Route } from './http/route.ts'
import type { Authenticate } from './http/server.ts'
import type { WebApp } from './http/web-files.ts'
import type { Chore } from './jobs/schedule.ts'
import type { JobHandler } from './jobs/worker.ts'
import type { NoteUndelivered } from './sandbox/text-messages.ts'
import type { ForgetAgain } from './vault/erasures.ts'
import type { PartyKeys } from './vault/key-file.ts'

/** What a role adds to the program: its routes, reactions, jobs and chores. */
export type Parts = {
  readonly routes: readonly Route[]
  readonly reactions: readonly (readonly [string, Reaction])[]
  readonly handlers: readonly (readonly [string, JobHandler])[]
  readonly failures: readonly (readonly [string, FailureReaction])[]
  readonly chores: readonly Chore[]
  readonly sender: Sender
  /** Notes that a text message to a patient could not be delivered for good. */
  readonly textUndelivered: NoteUndelivered
  /** Deletes again what was erased and came back with a restored database. */
  readonly forget: ForgetAgain
  readonly web: readonly WebApp[]
  /** What this role waits for before it can do its work, in words; behind `/health/ready`. */
  readonly missing: () => readonly string[]
  readonly authenticate: {
    readonly bridge: Authenticate
    readonly patient: Authenticate
    readonly exchange: Authenticate
    readonly staff: Authenticate
    readonly console: Authenticate
  }
}

/** What a role is made from. */
export type Ground = {
  readonly machine: Machine
  readonly keys: PartyKeys
  readonly outbound: Outbound
  readonly log: Logger
  readonly ownLog: OwnLog
}
