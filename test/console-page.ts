import assert from 'node:assert/strict'
import { comeBack } from './come-back.ts'
import { at, listAt, textAt } from './json-path.ts'
import type { TestNetwork } from './network.ts'
import { waitFor } from './wait.ts'

/** Longer than the parties are read again after. */
const REST_MS = 1_600
const REST_DEADLINE_MS = 60_000

/** The page of the sandbox console, as its browser sends it; steers the parties of a test network. */
export class ConsolePage {
  readonly #url: string
  readonly #word: string
  private constructor(url: string, word: string) {
    this.#url = url
    this.#word = word
  }

  static async open(network: TestNetwork): Promise<ConsolePage> {
    const page = new ConsolePage(network.exchange.url, '')
    return new ConsolePage(network.exchange.url, textAt(await page.call('GET', '/session'), 'csrf'))
  }

  async call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown, expected = 200): Promise<unknown> {
    const answer = await comeBack(`${this.#url}/v1/console${path}`, {
      method,
      headers: {
        origin: this.#url,
        'sec-fetch-site': 'same-origin',
        'x-csrf': this.#word,
        'content-type': 'application/json',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    assert.equal(answer.status, expected, `${method} ${path}: ${answer.status} ${text}`)
    return text === '' ? undefined : (JSON.parse(text) as unknown)
  }

  break(party: string, fault: object): Promise<unknown> {
    return this.call('POST', `/parties/${party}/faults`, fault, 201)
  }

  mend(): Promise<unknown> {
    return this.call('POST', '/mend', {})
  }

  /** Waits until nothing new comes: for what must not come. What has to come is waited for by itself. */
  async atRest(): Promise<void> {
    let last: unknown
    await waitFor(
      'the flow to come to rest',
      async () => {
        const revision = at(await this.call('GET', '/flow'), 'revision')
        const isAtRest = revision === last
        last = revision
        if (!isAtRest) await new Promise((resolve) => setTimeout(resolve, REST_MS))
        return isAtRest
      },
      REST_DEADLINE_MS,
    )
  }

  /** All messages on this path as they are known now, oldest first. */
  async messages(path: string | RegExp): Promise<readonly unknown[]> {
    const flow = await this.call('GET', '/flow')
    return listAt(flow, 'messages').filter((one) => {
      const own = textAt(one, 'path')
      return typeof path === 'string' ? own === path : path.test(own)
    })
  }

  async faults(party: string): Promise<readonly unknown[]> {
    const all = listAt(await this.call('GET', '/state'), 'parties')
    return listAt({ one: all.find((one) => at(one, 'id') === party) }, 'one.state.faults')
  }
}
