import { randomUUID } from 'node:crypto'
import { comeBack } from './come-back.ts'
import type { Callback, FakeBridge } from './fake-bridge.ts'
import { type FakeKeys, fakeSeal, type KeyForm, makeFakeKeys, makeFakeKeysSharingZero } from './fake-sealing.ts'
import { at, listAt, textAt, textsAt } from './json-path.ts'

export type HeldRecord = {
  readonly patientReference: string
  readonly reference: string
  readonly hiType: string
  readonly display: string
  readonly text: string
}
export type HeldPatient = {
  readonly abhaAddress: string
  readonly abhaNumber: string
  readonly name: string
  readonly gender: string
  readonly yearOfBirth: number
}

/** What the wrapper puts on one page. */
const ENTRIES_PER_PAGE = 7
const OTP = '000000'

/** The HIP half of a third-party bridge, with the habits of its kind (protocol sheet 2.9 and 6.2). */
export class FakeHip {
  readonly records: HeldRecord[] = []
  readonly artefacts = new Map<string, { readonly status: string; readonly detail: unknown }>()
  readonly keys: FakeKeys = makeFakeKeys()
  /** Switches for faults and habits of peers (protocol sheet 6.2 and 2.5). */
  stripsZeros = false
  sendsLinks = false
  changesCiphertext = false
  acknowledges = true
  readonly #bridge: FakeBridge
  readonly #links = new Map<string, readonly unknown[]>()

  constructor(bridge: FakeBridge) {
    this.#bridge = bridge
    bridge.on('/api/v3/consent/request/hip/notify', (callback) => this.#noteConsent(callback))
    bridge.on('/api/v3/hip/health-information/request', (callback) => this.#serve(callback))
    bridge.on('/api/v3/hip/patient/care-context/discover', (callback) => this.#discover(callback))
    bridge.on('/api/v3/hip/link/care-context/init', (callback) => this.#linkInit(callback))
    bridge.on('/api/v3/hip/link/care-context/confirm', (callback) => this.#linkConfirm(callback))
    bridge.on('/api/v3/hip/patient/share', (callback) => this.#share(callback))
  }

  get #isCare(): boolean {
    return this.#bridge.personality === 'care'
  }

  #asHip(extra: Readonly<Record<string, string>> = {}): { headers: Record<string, string> } {
    return { headers: { 'X-HIP-ID': this.#bridge.facility, ...extra } }
  }

  /** Asks for a link token; the answer's body. */
  async askLinkToken(patient: HeldPatient): Promise<unknown> {
    const requestId = await this.#bridge.insist('/v3/token/generate-token', patient, this.#asHip())
    return (await this.#bridge.callback('/api/v3/hip/token/on-generate-token', requestId)).body
  }

  /** Links all records of a patient, one group for each HI type; the answer's body. */
  async link(patient: HeldPatient, linkToken: string, records = this.records): Promise<unknown> {
    const body = { abhaNumber: patient.abhaNumber, abhaAddress: patient.abhaAddress, patient: groupsOf(records) }
    const requestId = await this.#bridge.insist(
      '/hip/v3/link/carecontext',
      body,
      this.#asHip({ 'X-LINK-TOKEN': linkToken }),
    )
    return (await this.#bridge.callback('/api/v3/link/on_carecontext', requestId)).body
  }

  /** Says that a linked context has new data; the answer's body. */
  async notifyContext(patient: string, record: HeldRecord): Promise<unknown> {
    const careContext = { patientReference: record.patientReference, careContextReference: record.reference }
    const notification = {
      patient: { id: patient },
      careContext,
      hiTypes: [record.hiType],
      date: new Date().toISOString(),
      hip: { id: this.#bridge.facility },
    }
    const requestId = await this.#bridge.insist('/hip/v3/link/context/notify', { notification }, this.#asHip())
    return (await this.#bridge.callback('/api/v3/links/context/on-notify', requestId)).body
  }

  async #noteConsent({ body, headers }: Callback): Promise<void> {
    const consentId = textAt(body, 'notification.consentId')
    const detail = at(body, 'notification.consentDetail')
    const isComplete = at(detail, 'patient') !== undefined
    if (isComplete) this.artefacts.set(consentId, { status: textAt(body, 'notification.status'), detail })
    if (!this.acknowledges) return
    const word = isComplete ? (this.#isCare ? 'ok' : 'OK') : 'FAILURE'
    await this.#bridge.insist('/consent/v3/request/hip/on-notify', {
      acknowledgement: { status: word, consentId },
      response: { requestId: headers['request-id'] },
    })
  }

  async #serve({ body, headers }: Callback): Promise<void> {
    const transactionId = textAt(body, 'transactionId')
    const hiRequest = at(body, 'hiRequest')
    const artefact = this.artefacts.get(textAt(hiRequest, 'consent.id'))
    const response = { requestId: headers['request-id'] }
    const path = '/data-flow/v3/health-information/hip/on-request'
    if (artefact?.status !== 'GRANTED') {
      await this.#bridge.insist(path, { error: { code: '3416', message: 'no such consent' }, response }, {}, 200)
      return
    }
    await this.#bridge.insist(path, { hiRequest: { transactionId, sessionStatus: 'ACKNOWLEDGED' }, response }, {}, 200)
    const wanted = textsAt(artefact.detail, 'careContexts', 'careContextReference')
    const records = this.records.filter(
      ({ reference, hiType }) => wanted.includes(reference) && listAt(artefact.detail, 'hiTypes').includes(hiType),
    )
    const pushed = await this.#push(transactionId, hiRequest, records)
    await this.#notify(hiRequest, transactionId, records, pushed)
  }

  /** CARE: one page 1 of 1. The wrapper: pages from 0, several entries on each, one key for the life of the process. */
  async #push(transactionId: string, hiRequest: unknown, records: readonly HeldRecord[]): Promise<boolean> {
    const theirKey = textAt(hiRequest, 'keyMaterial.dhPublicKey.keyValue')
    const mine = this.stripsZeros ? makeFakeKeysSharingZero(theirKey) : this.#isCare ? makeFakeKeys() : this.keys
    const accepts: readonly KeyForm[] = this.#isCare ? ['raw', 'x509'] : ['raw']
    const sealing = {
      mine,
      theirKey,
      theirNonce: textAt(hiRequest, 'keyMaterial.nonce'),
      accepts,
      stripsZeros: this.stripsZeros,
    }
    const entries = records.map(({ text, reference }) => {
      const sealed = fakeSeal(text, sealing)
      const content = this.changesCiphertext ? changeByte(sealed) : sealed
      return {
        ...(this.sendsLinks ? { link: this.#publish(content) } : { content }),
        media: 'application/fhir+json',
        checksum: this.#isCare ? '' : 'string',
        careContextReference: reference,
      }
    })
    const pageSize = this.#isCare ? Math.max(entries.length, 1) : ENTRIES_PER_PAGE
    const pageCount = Math.ceil(entries.length / pageSize)
    const keyMaterial = {
      cryptoAlg: 'ECDH',
      curve: 'Curve25519',
      dhPublicKey: {
        expiry: new Date(Date.now() + 86_400_000).toISOString(),
        parameters: 'Curve25519/32byte random key',
        keyValue: mine.x509,
      },
      nonce: mine.nonce,
    }
    let isFine = true
    for (let page = 0; page < pageCount; page++) {
      const body = {
        pageNumber: this.#isCare ? page + 1 : page,
        pageCount,
        transactionId,
        entries: entries.slice(page * pageSize, (page + 1) * pageSize),
        keyMaterial,
        ...(this.#isCare ? {} : { extra: 'field' }),
      }
      const token: Record<string, string> = this.#isCare
        ? { authorization: `Bearer ${await this.#bridge.token()}` }
        : {}
      const answer = await comeBack(textAt(hiRequest, 'dataPushUrl'), {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...token },
        body: JSON.stringify(body),
      })
      await answer.arrayBuffer()
      isFine &&= this.#isCare ? answer.status === 202 : answer.ok
    }
    return isFine
  }

  /** Where a sealed document can be fetched, as peers do with large ones. */
  #publish(content: string): string {
    const path = `/content/${randomUUID()}`
    this.#bridge.publish(path, content)
    return `${this.#bridge.url}${path}`
  }

  async #notify(
    hiRequest: unknown,
    transactionId: string,
    records: readonly HeldRecord[],
    isFine: boolean,
  ): Promise<void> {
    const sessionStatus = isFine ? 'TRANSFERRED' : 'FAILED'
    const hiStatus = isFine ? 'DELIVERED' : this.#isCare ? 'FAILED' : 'ERRORED'
    const statusResponses = records.map(({ reference }) => ({
      careContextReference: reference,
      hiStatus,
      description: sessionStatus,
    }))
    const notifier = { type: 'HIP', id: this.#bridge.facility }
    const notification = {
      consentId: textAt(hiRequest, 'consent.id'),
      transactionId,
      doneAt: new Date().toISOString(),
      notifier,
      statusNotification: { sessionStatus, hipId: this.#bridge.facility, statusResponses },
    }
    await this.#bridge.insist('/data-flow/v3/health-information/notify', { notification })
  }

  async #discover({ body, headers }: Callback): Promise<void> {
    const transactionId = textAt(body, 'transactionId')
    const response = { requestId: headers['request-id'] }
    const groups = groupsOf(this.records)
    const answer =
      groups.length === 0
        ? { transactionId, error: { code: 'ABDM-1010', message: 'Patient not found' }, response }
        : { transactionId, patient: groups, matchedBy: ['ABHA_ADDRESS'], response }
    await this.#bridge.insist('/user-initiated-linking/v3/patient/care-context/on-discover', answer)
  }

  async #linkInit({ body, headers }: Callback): Promise<void> {
    const referenceNumber = randomUUID()
    this.#links.set(referenceNumber, listAt(body, 'patient'))
    const meta = {
      communicationMedium: 'MOBILE',
      communicationHint: 'OTP',
      communicationExpiry: new Date(Date.now() + 300_000).toISOString(),
    }
    const link = { referenceNumber, authenticationType: 'DIRECT', meta }
    await this.#bridge.insist('/user-initiated-linking/v3/link/care-context/on-init', {
      transactionId: textAt(body, 'transactionId'),
      link,
      response: { requestId: headers['request-id'] },
    })
  }

  async #linkConfirm({ body, headers }: Callback): Promise<void> {
    const asked = this.#links.get(textAt(body, 'confirmation.linkRefNumber'))
    const response = { requestId: headers['request-id'] }
    const references = new Set(asked?.flatMap((group) => textsAt(group, 'careContexts', 'referenceNumber')))
    const isRight = asked !== undefined && textAt(body, 'confirmation.token') === OTP
    const answer = isRight
      ? { patient: groupsOf(this.records.filter(({ reference }) => references.has(reference))), response }
      : { error: { code: 'ABDM-1035', message: 'Invalid OTP' }, response }
    await this.#bridge.insist('/user-initiated-linking/v3/link/care-context/on-confirm', answer)
  }

  async #share({ body, headers }: Callback): Promise<void> {
    const profile = {
      context: textAt(body, 'metaData.context'),
      tokenNumber: '7',
      expiry: this.#isCare ? 600 : new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 19),
    }
    const acknowledgement = { abhaAddress: textAt(body, 'profile.patient.abhaAddress'), status: 'SUCCESS', profile }
    await this.#bridge.insist('/patient-share/v3/on-share', {
      acknowledgement,
      response: { requestId: headers['request-id'] },
    })
  }
}

type Group = {
  referenceNumber: string
  display: string
  careContexts: { referenceNumber: string; display: string }[]
  hiType: string
  count: number
}

/** One group for each HI type. */
function groupsOf(records: readonly HeldRecord[]): readonly Group[] {
  const groups = new Map<string, Group>()
  for (const { patientReference, reference, hiType, display } of records) {
    const group = groups.get(hiType) ?? {
      referenceNumber: patientReference,
      display: 'Patient',
      careContexts: [],
      hiType,
      count: 0,
    }
    group.careContexts.push({ referenceNumber: reference, display })
    group.count++
    groups.set(hiType, group)
  }
  return [...groups.values()]
}

function changeByte(content: string): string {
  const bytes = Buffer.from(content, 'base64')
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 0x20
  return bytes.toString('base64')
}
