import pino from 'pino'
import { Registry } from 'prom-client'
import { makeServer, nativeRules } from '../src/http/server.ts'
import { webOriginsOf } from '../src/http/web-origin.ts'
import { claimJobs } from '../src/jobs/queue.ts'
import { settle } from '../src/jobs/worker.ts'
import { refuse } from '../src/kernel/refusal.ts'
import { meProofRoutes } from '../src/native/me-proof-routes.ts'
import { meSessionRoutes } from '../src/native/me-session-routes.ts'
import { meSignInRoutes } from '../src/native/me-sign-in-routes.ts'
import { patientOfSession } from '../src/people/patient-session.ts'
import { SIGN_IN_JOB, signInJob } from '../src/people/sign-in-commands.ts'
import { type LinkingExchange, startLinkingExchange } from './linking-exchange.ts'

/** Where the pages of the test's exchange are opened. */
export const PAGE = 'http://localhost:4000'

export type Seen = {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly headers: Readonly<Record<string, string | undefined>>
}
/** A browser: keeps the cookie, sends Origin and X-CSRF as the pages do. */
export type TestBrowser = {
  readonly call: (
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: object,
    headers?: Readonly<Record<string, string | undefined>>,
  ) => Promise<Seen>
  /** Signs in with the code that is sent. */
  readonly signIn: (abhaAddress: string) => Promise<Seen>
  readonly cookie: () => string
}

export type SignInExchange = LinkingExchange & {
  /** Kinds of the queries that `work` makes at the door, in their order: what an eavesdropper with a stopwatch could tell apart. */
  readonly queriesOf: (work: () => Promise<unknown>) => Promise<readonly string[]>
  readonly browser: (origin?: string, from?: string) => TestBrowser
  /** Does what waits for signing in, then answers the text messages that were sent since the last time, oldest first. */
  readonly takeTexts: () => Promise<readonly { readonly mobile: string; readonly text: string }[]>
}

export const codeIn = (text: string | undefined): string => /\b\d{6}\b/.exec(text ?? '')?.[0] ?? ''

/** An exchange with the door of the patient app, on a clock that the test moves. */
export async function startSignInExchange(): Promise<SignInExchange> {
  const exchange = await startLinkingExchange()
  const { machine, needs } = exchange
  const web = { party: 'sbx', origins: webOriginsOf('http://127.0.0.1:4000') }
  const door = { ...needs, web, sandbox: true }
  const nobody = async () => refuse('request/not-found')
  let queries: string[] = []
  const kinds = new WeakMap<object, string>()
  const db = machine.db.withPlugin({
    transformQuery: ({ node, queryId }) => {
      kinds.set(queryId, node.kind)
      return node
    },
    // Also a statement that was compiled beforehand comes by here.
    transformResult: async ({ result, queryId }) => {
      queries.push(kinds.get(queryId) ?? 'compiled')
      return result
    },
  })
  const app = makeServer({
    machine: { ...machine, db },
    log: pino({ level: 'silent' }),
    metrics: new Registry(),
    routes: [...meSignInRoutes(door), ...meSessionRoutes(door), ...meProofRoutes(door)],
    dialects: { native: nativeRules, abdm: nativeRules },
    authenticate: {
      none: async () => ({ kind: 'anonymous' }),
      bridge: nobody,
      exchange: nobody,
      operator: nobody,
      staff: nobody,
      console: nobody,
      partner: nobody,
      patient: async (tx, headers, { method }) =>
        (await patientOfSession(tx, web, { method, headers })) ?? refuse('auth/no-session'),
    },
    mayDo: () => false,
    ready: async () => [],
  })
  let sent = 0
  const takeTexts: SignInExchange['takeTexts'] = async () => {
    for (const job of await claimJobs(machine, 100)) {
      if (job.kind !== SIGN_IN_JOB) continue
      const result = await signInJob(needs)(machine, job)
      await exchange.inTx((tx) => settle(tx, job, result))
    }
    const texts = (await exchange.waiting('text-message')) as { mobile: string; text: string }[]
    const fresh = texts.slice(sent)
    sent = texts.length
    return fresh
  }
  const browser = (origin = PAGE, from = '127.0.0.1'): TestBrowser => {
    let cookie = ''
    let csrf = ''
    const call: TestBrowser['call'] = async (method, path, body, headers = {}) => {
      const all = { origin, cookie, 'x-csrf': csrf, ...headers }
      const answer = await app.inject({
        method,
        url: path,
        remoteAddress: from,
        headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined && value !== '')),
        ...(body === undefined ? {} : { payload: body }),
      })
      const set = answer.headers['set-cookie']
      if (typeof set === 'string') cookie = set.split(';')[0] ?? ''
      const parsed = answer.body === '' ? {} : (JSON.parse(answer.body) as Record<string, unknown>)
      if (typeof parsed['csrf'] === 'string') csrf = parsed['csrf']
      return { status: answer.statusCode, body: parsed, headers: answer.headers as Seen['headers'] }
    }
    return {
      call,
      cookie: () => cookie,
      signIn: async (abhaAddress) => {
        await takeTexts()
        const { body } = await call('POST', '/v1/sign-in', { abhaAddress })
        const [text] = await takeTexts()
        return call('POST', `/v1/sign-in/${String(body['id'])}`, { code: codeIn(text?.text) })
      },
    }
  }
  return {
    ...exchange,
    browser,
    queriesOf: async (work) => {
      queries = []
      await work()
      return queries
    },
    takeTexts,
    close: async () => {
      await app.close()
      await exchange.close()
    },
  }
}
