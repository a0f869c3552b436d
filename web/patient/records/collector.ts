import { makeBrowserKeyPair } from '../../../src/crypto/browser-sealing.ts'
import { makeNonce } from '../../../src/crypto/key-agreement.ts'
import { encodeRaw } from '../../../src/crypto/key-material.ts'
import type { FetchView, PagesView } from '../../../src/native/me-record-routes.ts'
import { isWaiting } from '../../../src/transfer/own-fetch.ts'
import { type OwnDocument, openPage, type PageKeys, type Unopened } from './open-page.ts'

/** What of a look is known so far. */
export type OwnCopy = {
  readonly view: FetchView
  readonly documents: readonly OwnDocument[]
  readonly unopened: readonly Unopened[]
  /** No hospital is waited for any more, and all that came was opened. */
  readonly isDone: boolean
}

type Call = <T>(
  path: string,
  options?: { readonly method?: 'GET' | 'POST' | 'DELETE'; readonly body?: unknown },
) => Promise<T>

/** One look at the own records, by one page. The private key lives in this closure and nowhere else. */
export type Collector = {
  /** Asks the exchange how things stand, collects what came, opens it. Throws what `call` throws; may be called again after that. */
  readonly step: () => Promise<OwnCopy>
  /** Throws away what waits at the exchange. */
  readonly close: () => Promise<void>
}

const PATH = '/v1/me/records/fetch'

/** Begins a look: makes the keys, and asks all hospitals. */
export async function startCollector(needs: {
  readonly call: Call
  readonly random: (bytes: number) => Uint8Array
}): Promise<{ readonly collector: Collector; readonly first: OwnCopy }> {
  const { call, random } = needs
  const keys: PageKeys = { own: makeBrowserKeyPair(random), nonce: makeNonce(random) }
  const keyMaterial = {
    cryptoAlg: 'ECDH',
    curve: 'Curve25519',
    dhPublicKey: { keyValue: encodeRaw(keys.own.publicKey) },
    nonce: keys.nonce,
  }
  let view = await call<FetchView>(PATH, { method: 'POST', body: { keyMaterial } })
  const at = `${PATH}/${view.id}`
  const documents = new Map<string, OwnDocument>()
  const unopened = new Map<string, Unopened>()
  let opened = 0

  const copy = (): OwnCopy => ({
    view,
    documents: [...documents.values()],
    unopened: [...unopened.values()],
    isDone: opened >= view.lastSeq && !view.holders.some(({ status }) => isWaiting(status)),
  })
  const collect = async (): Promise<boolean> => {
    const { pages, more } = await call<PagesView>(`${at}/pages?after=${opened}`)
    const results = []
    for (const page of pages) {
      const result = await openPage(keys, page)
      for (const document of result.documents) documents.set(document.key, document)
      for (const fault of result.unopened) unopened.set(fault.key, fault)
      results.push({ seq: page.seq, entries: result.entries })
    }
    if (results.length > 0) await call(`${at}/opened`, { method: 'POST', body: { pages: results } })
    // Pages of a consent that was revoked meanwhile are passed over by the exchange: they never come.
    opened = more ? Math.max(opened, ...pages.map(({ seq }) => seq)) : Math.max(opened, view.lastSeq)
    return more && pages.length > 0
  }
  return {
    first: copy(),
    collector: {
      step: async () => {
        view = await call<FetchView>(at)
        if (view.lastSeq > opened) while (await collect()) continue
        return copy()
      },
      close: async () => {
        await call(at, { method: 'DELETE' })
      },
    },
  }
}
