import { NetworkFault, type NetworkParty } from './network-file.ts'

/** An answer that was not a success, with the words of the other side. */
export class CallFault extends Error {
  override readonly name = 'CallFault'
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

type Options = {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>> /** Without the operator's token: as a patient, or as anybody. */
  readonly anonymous?: boolean
}

/** Calls a party of the running network as its operator, over HTTP like anybody else. */
export async function callParty(party: OwnParty, path: string, options: Options = {}): Promise<unknown> {
  let answer: Response
  try {
    answer = await fetch(`${party.url}${path}`, {
      method: options.method ?? (options.body === undefined ? 'GET' : 'POST'),
      headers: {
        ...(options.anonymous ? {} : operatorHeaders(party)),
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    })
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
    throw new NetworkFault(
      `${party.name} does not answer at ${party.url} (${cause || 'connection refused'}). Is the network running? Start it with "npm start".`,
    )
  }
  const text = await answer.text()
  if (!answer.ok) throw new CallFault(answer.status, sayProblem(answer.status, text))
  return text === '' ? undefined : (JSON.parse(text) as unknown)
}

/** A party that an operator runs by itself, as its settings say where it listens. */
export type OwnParty = Pick<NetworkParty, 'url' | 'name' | 'operatorToken'> & {
  /** For grave acts: which operator it is, `name:123456`. */
  readonly operatorCode?: string
}

function operatorHeaders({ operatorToken, operatorCode }: OwnParty): Readonly<Record<string, string>> {
  return {
    authorization: `Bearer ${operatorToken}`,
    ...(operatorCode === undefined ? {} : { 'x-operator-code': operatorCode }),
  }
}

/** Asks a party that runs by its own settings, with `body` by POST; says how to start it when it does not answer. */
export async function askOwn(party: OwnParty, path: string, body?: unknown): Promise<unknown> {
  try {
    return await callParty(party, path, body === undefined ? {} : { body })
  } catch (error) {
    if (!(error instanceof NetworkFault)) throw error
    throw new NetworkFault(
      `${party.name} does not answer at ${party.url}. Start it first, with "amanat serve --config FILE".`,
    )
  }
}

/** The words with which a call was refused, as it should be; undefined when it went through. Faults are thrown on. */
export async function refusedWords(call: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await call()
    return undefined
  } catch (error) {
    if (error instanceof CallFault && error.status < 500) return error.message
    throw error
  }
}

function sayProblem(status: number, text: string): string {
  try {
    const body = JSON.parse(text) as {
      detail?: string
      field?: string
      type?: string
      error?: { code?: string; message?: string }
    }
    if (body.error?.message) return `${body.error.message} (${body.error.code ?? status})`
    if (body.detail)
      return `${body.detail}${body.field && !body.detail.startsWith(body.field) ? ` [${body.field}]` : ''} (${body.type?.replace('urn:amanat:problem:', '') ?? status})`
  } catch {
    // Not JSON: its own words follow.
    return `answered ${status}: ${text.slice(0, 200)}`
  }
  return `answered ${status}: ${text.slice(0, 200)}`
}
