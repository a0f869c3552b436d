import { randomUUID } from 'node:crypto'
import type { Callback, CallOptions, FakeBridge } from './fake-bridge.ts'
import { isPage, readPushPage } from './fake-demands.ts'
import { type FakeKeys, fakeOpen, makeFakeKeys } from './fake-sealing.ts'
import { at, textAt, textsAt } from './json-path.ts'
import { waitFor } from './wait.ts'

export type Ask = {
  readonly patient: string
  readonly hiTypes: readonly string[]
  readonly from: Date
  readonly to: Date
  readonly eraseAt: Date
  readonly hip?: string
  readonly careContexts?: readonly { readonly patientReference: string; readonly careContextReference: string }[]
  readonly frequency?: { readonly unit: string; readonly value: number; readonly repeats: number }
  readonly purpose?: string
  readonly requester?: unknown
}
export type Got = { readonly careContextReference: string; readonly text: string }
type Transfer = {
  readonly consent: string
  readonly keys: FakeKeys
  readonly got: Got[]
  readonly pages: Set<number>
  pageCount: number | undefined
}

/** The HIU half of a third-party bridge, with the habits of its kind (protocol sheet 2.9 and 6.2). */
export class FakeHiu {
  readonly artefacts = new Map<string, { status: string; detail: unknown; signature: string }>()
  readonly statuses: { readonly request: string; readonly status: string }[] = []
  readonly #transfers = new Map<string, Transfer>()
  readonly #bridge: FakeBridge

  constructor(bridge: FakeBridge) {
    this.#bridge = bridge
    bridge.on('/api/v3/hiu/consent/request/notify', (callback) => this.#noteConsent(callback))
    bridge.on('/push/', (callback) => this.#takePage(callback))
  }

  get asHiu(): { readonly headers: Readonly<Record<string, string>> } {
    return { headers: { 'X-HIU-ID': this.#bridge.facility } }
  }

  /** Asks for consent; the body of on-init. */
  async ask(ask: Ask): Promise<unknown> {
    const requestId = await this.#bridge.insist(
      '/consent/v3/request/init',
      { consent: this.consentOf(ask) },
      this.#bridge.personality === 'care' ? this.asHiu : {},
    )
    return (await this.#bridge.callback('/api/v3/hiu/consent/request/on-init', requestId)).body
  }

  consentOf(ask: Ask): object {
    const { patient, hiTypes, hip, careContexts, frequency, purpose = 'CAREMGT' } = ask
    const permission = {
      accessMode: 'VIEW',
      dateRange: { from: ask.from.toISOString(), to: ask.to.toISOString() },
      dataEraseAt: ask.eraseAt.toISOString(),
      frequency: frequency ?? { unit: 'HOUR', value: 1, repeats: 5 },
    }
    const requester = ask.requester ?? {
      name: 'Dr. A. Kumar',
      identifier: { type: 'REGNO', value: 'MH1001', system: 'https://www.mciindia.org' },
    }
    // Neither client names the HIU.
    return {
      purpose: {
        text: 'Care Management',
        code: purpose,
        refUri: 'http://terminology.hl7.org/ValueSet/v3-PurposeOfUse',
      },
      patient: { id: patient },
      hiu: { id: this.#bridge.facility },
      requester,
      hiTypes,
      permission,
      ...(hip === undefined ? {} : { hip: { id: hip } }),
      ...(careContexts === undefined ? {} : { careContexts }),
    }
  }

  /** The id of the request; throws with the error of on-init. */
  async askFor(ask: Ask): Promise<string> {
    const body = await this.ask(ask)
    return textAt(body, 'consentRequest.id')
  }

  /** Waits for the artefacts of a granted request. */
  async granted(hip: string): Promise<{ readonly id: string; readonly detail: unknown }> {
    return waitFor(`an artefact of ${hip}`, () => {
      const found = [...this.artefacts].find(([, one]) => one.status === 'GRANTED' && at(one.detail, 'hip.id') === hip)
      return found && { id: found[0], detail: found[1].detail }
    })
  }

  async status(consentRequestId: string): Promise<unknown> {
    const requestId = await this.#bridge.insist('/consent/v3/request/status', { consentRequestId }, this.asHiu)
    return (await this.#bridge.callback('/api/v3/hiu/consent/request/on-status', requestId)).body
  }

  async fetchArtefact(consentId: string): Promise<unknown> {
    const requestId = await this.#bridge.insist('/consent/v3/fetch', { consentId }, this.asHiu)
    return (await this.#bridge.callback('/api/v3/hiu/consent/on-fetch', requestId)).body
  }

  /** Asks for data; the body of on-request, and where the data will be. */
  async request(
    consent: string,
    range: { readonly from: string; readonly to: string },
    options: CallOptions & { readonly form?: 'raw' | 'x509'; readonly expiry?: string } = {},
  ): Promise<{ readonly answer: unknown; readonly transfer: string }> {
    const transfer = randomUUID()
    const keys = makeFakeKeys()
    this.#transfers.set(transfer, { consent, keys, got: [], pages: new Set(), pageCount: undefined })
    const keyMaterial = {
      cryptoAlg: 'ECDH',
      curve: 'Curve25519',
      dhPublicKey: {
        expiry: options.expiry ?? new Date(Date.now() + 3_600_000).toISOString(),
        parameters: 'Curve25519/32byte random key',
        keyValue: keys[options.form ?? 'raw'],
      },
      nonce: keys.nonce,
    }
    const hiRequest = {
      consent: { id: consent },
      dateRange: range,
      dataPushUrl: `${this.#bridge.url}/push/${transfer}`,
      keyMaterial,
    }
    const requestId = await this.#bridge.insist(
      '/data-flow/v3/health-information/request',
      { hiRequest },
      { ...this.asHiu, ...options },
    )
    return {
      answer: (await this.#bridge.callback('/api/v3/hiu/health-information/on-request', requestId)).body,
      transfer,
    }
  }

  /** All documents of a transfer, when every page has come. */
  async documents(transfer: string): Promise<readonly Got[]> {
    const one = this.#transferOf(transfer)
    await waitFor('all pages', () => one.pageCount !== undefined && one.pages.size >= Math.max(one.pageCount, 1))
    return one.got
  }

  pagesOf(transfer: string): number {
    return this.#transferOf(transfer).pages.size
  }

  /** Of an artefact that it holds: whoever asked for data before it came knows it by the time the data come. */
  #hipOf(consent: string): string {
    return textAt(this.artefacts.get(consent)?.detail, 'hip.id')
  }

  #transferOf(id: string): Transfer {
    const one = this.#transfers.get(id)
    if (one === undefined) throw new Error(`no transfer ${id}`)
    return one
  }

  async #noteConsent({ body, headers }: Callback): Promise<void> {
    const status = textAt(body, 'notification.status')
    this.statuses.push({ request: textAt(body, 'notification.consentRequestId'), status })
    const ids = textsAt(body, 'notification.consentArtefacts', 'id')
    if (status === 'DENIED') return
    if (ids.length > 0) {
      await this.#bridge.insist('/consent/v3/request/hiu/on-notify', {
        acknowledgement: ids.map((consentId) => ({ status: 'OK', consentId })),
        response: { requestId: headers['request-id'] },
      })
    }
    for (const id of ids) {
      const known = this.artefacts.get(id)
      if (status !== 'GRANTED') {
        if (known !== undefined) known.status = status
        continue
      }
      const fetched = await this.fetchArtefact(id)
      this.artefacts.set(id, {
        status: textAt(fetched, 'consent.status'),
        detail: at(fetched, 'consent.consentDetail'),
        signature: textAt(fetched, 'consent.signature'),
      })
    }
  }

  async #takePage({ path, body }: Callback): Promise<void> {
    const transfer = this.#transferOf(path.slice('/push/'.length))
    const page = readPushPage(this.#bridge.personality, body)
    if (!isPage(page)) throw new Error(page.join('; '))
    transfer.pages.add(page.pageNumber ?? 0)
    transfer.pageCount = page.pageCount ?? 1
    const accepts = this.#bridge.personality === 'care' ? (['raw', 'x509'] as const) : (['x509'] as const)
    const sealing = {
      mine: transfer.keys,
      theirKey: page.keyMaterial.dhPublicKey.keyValue,
      theirNonce: page.keyMaterial.nonce,
      accepts,
    }
    for (const entry of page.entries)
      transfer.got.push({
        careContextReference: entry.careContextReference,
        text: fakeOpen(entry.content ?? '', sealing),
      })
    if (transfer.pages.size >= Math.max(transfer.pageCount, 1)) await this.#notify(transfer, page.transactionId)
  }

  /** The wrapper tells no error as an error (inverted), and names its header wrongly. */
  async #notify(transfer: Transfer, transactionId: string): Promise<void> {
    const isCare = this.#bridge.personality === 'care'
    const sessionStatus = isCare ? 'TRANSFERRED' : 'FAILED'
    const statusResponses = transfer.got.map(({ careContextReference }) => ({
      careContextReference,
      hiStatus: isCare ? 'DELIVERED' : 'ERRORED',
      description: sessionStatus,
    }))
    const notifier = { type: 'HIU', id: this.#bridge.facility }
    const notification = {
      consentId: transfer.consent,
      transactionId,
      doneAt: new Date().toISOString(),
      notifier,
      statusNotification: { sessionStatus, hipId: this.#hipOf(transfer.consent), statusResponses },
    }
    await this.#bridge.insist(
      '/data-flow/v3/health-information/notify',
      { notification },
      isCare ? this.asHiu : { headers: { HIU: this.#bridge.facility } },
    )
  }
}
