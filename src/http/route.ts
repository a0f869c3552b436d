import type { z } from 'zod'
import type { Topic } from '../db/changes.ts'
import type { Machine, Tx } from '../db/tx.ts'
import type { Caller } from '../kernel/caller.ts'
import type { Refusal } from '../kernel/refusal.ts'
import type { StaffAct } from '../kernel/staff-role.ts'
import type { StepUpAct } from '../kernel/step-up-act.ts'
import type { ClientCertificate } from './client-certificate.ts'

/** How refusals look on this route: ABDM's own shapes, or RFC 9457 problem details. */
export type Dialect = 'abdm' | 'native'

/** Which proof of identity a route asks for; `http/server.ts` gets one check for each from `app.ts`. */
export type Auth = 'none' | 'bridge' | 'patient' | 'exchange' | 'operator' | 'staff' | 'console' | 'partner'

/** A call before its transaction: nobody has proved anything yet. */
export type Arrived = {
  readonly raw: Uint8Array
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly source: string
}

export type Call<Body, Query, Prepared = undefined> = {
  readonly tx: Tx
  readonly caller: Caller
  readonly body: Body
  /** The body's bytes as sent, for routes whose wire format is not JSON. */
  readonly raw: Uint8Array
  readonly query: Query
  /** What `prepare` of the route gave. */
  readonly prepared: Prepared
  readonly params: Readonly<Record<string, string>>
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** With what else the caller came: the path as called, its certificate. */
  readonly asked: { readonly calledPath?: string; readonly certificate?: ClientCertificate }
  /** REQUEST-ID of an ABDM message, else an id of ours: what our answer and our logs name. */
  readonly requestId: string
  /** Address from which the call came; behind a proxy that the settings trust, the one which that proxy names. */
  readonly source: string
}

export type Answer = {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * One row of a route table. `handle` runs in a transaction of its own; a refusal commits what was recorded.
 *
 * `once`: a repeated request id (REQUEST-ID, Idempotency-Key) of the same caller gets the first answer again, without effect.
 */
export type Route = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Fastify style: `/v1/consents/:id`. */
  readonly path: string
  readonly summary: string
  readonly dialect: Dialect
  readonly auth: Auth
  /** With `auth: 'staff'`: what the role of the caller must be allowed to do. Without it, everybody of the staff may. */
  readonly act?: StaffAct
  /**
   * A person who calls from a web app must have proved anew that it is she, for this act on this thing. Its id comes as `stepUp` of the
   * body or as X-Step-Up; the door looks for it before `handle`, and spends it when `handle` did its work.
   */
  readonly stepUp?: {
    readonly act: StepUpAct
    readonly subject: (call: Pick<Call<never, never>, 'caller' | 'params' | 'body'>) => string
  }
  /** With `auth: 'operator'`: the token does not do, an operator must prove by a fresh code that it is she (decision 36). */
  readonly grave?: true
  /** With `auth: 'partner'`: the SMART scope that the token must cover. */
  readonly scope?: string
  readonly once: boolean
  readonly body?: z.ZodType
  /** What a form (application/x-www-form-urlencoded) holds, for the OpenAPI document; `handle` reads `raw` itself. */
  readonly form?: z.ZodType
  readonly query?: z.ZodType
  readonly bodyBytesMax?: number
  /** The last part of the path is a secret: logs keep its length only. */
  readonly secretPath?: true
  /** Answer statuses and schemas for the OpenAPI document. */
  readonly answers: Readonly<Record<number, { readonly description: string; readonly schema?: z.ZodType }>>
  /** Runs once, before the transaction opens: for what must be fetched from elsewhere, while no connection waits for it. */
  readonly prepare?: (machine: Machine, arrived: Arrived) => Promise<unknown>
  /** Turns callers away before a large body is read as JSON: what lets them in stands in the address. */
  readonly admit?: (call: Pick<Call<never, never>, 'tx' | 'params'>) => Promise<Refusal | undefined>
  /** Answers with live updates of this topic in place of what `handle` answers: see `live.ts`. */
  readonly live?: (caller: Caller) => Topic | Refusal
  readonly handle: (call: Call<never, never>) => Promise<Answer | Refusal>
}

type Described<B extends z.ZodType | undefined, Q extends z.ZodType | undefined, P> = Omit<
  Route,
  'handle' | 'body' | 'query' | 'stepUp' | 'prepare'
> & {
  readonly stepUp?: {
    readonly act: StepUpAct
    readonly subject: (
      call: Pick<Call<B extends z.ZodType ? z.output<B> : undefined, never>, 'caller' | 'params' | 'body'>,
    ) => string
  }
  readonly body?: B
  readonly query?: Q
  readonly prepare?: (machine: Machine, arrived: Arrived) => Promise<P>
  readonly handle: (
    call: Call<B extends z.ZodType ? z.output<B> : undefined, Q extends z.ZodType ? z.output<Q> : undefined, P>,
  ) => Promise<Answer | Refusal>
}

/** Makes a {@link Route} whose handler sees the parsed types of its own schemas. */
export function route<
  B extends z.ZodType | undefined = undefined,
  Q extends z.ZodType | undefined = undefined,
  P = undefined,
>(described: Described<B, Q, P>): Route {
  return described as unknown as Route
}
