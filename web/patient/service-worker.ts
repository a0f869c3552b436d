/// <reference lib="webworker" />
export type {}

declare const self: ServiceWorkerGlobalScope

/**
 * Keeps the app itself on the device, so that it opens on a bad line. Only files of the build are kept: an answer about a person is
 * never written to the device by this worker.
 */
const CACHE = 'amanat-app'
const SHELL = '/me'
const FILES_OF_THE_BUILD = '/web/assets/'
/** After this time without an answer the page of the last visit opens. */
const LINE_TIMEOUT_MS = 4_000

self.addEventListener('install', (event) => {
  event.waitUntil(keepApp().then(() => self.skipWaiting()))
})

self.addEventListener('activate', (event) => {
  event.waitUntil(dropOld().then(() => self.clients.claim()))
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== self.location.origin) return
  if (request.mode === 'navigate') {
    event.respondWith(openPage(request))
    // The build may have changed: its later pages are kept before the line is gone.
    event.waitUntil(keepApp().catch(() => undefined))
  } else if (url.pathname.startsWith(FILES_OF_THE_BUILD)) event.respondWith(keptFile(request))
})

async function filesOfApp(): Promise<readonly string[]> {
  const answer = await fetch('/web/patient-files.json', { cache: 'no-store' })
  if (!answer.ok) throw new Error('the list of files did not come')
  return (await answer.json()) as string[]
}

async function keepApp(): Promise<void> {
  const cache = await caches.open(CACHE)
  const wanted = await filesOfApp()
  const missing = await Promise.all(wanted.map(async (file) => ((await cache.match(file)) === undefined ? [file] : [])))
  await cache.addAll([SHELL, ...missing.flat()])
}

/** Files that the newest build does not have any more; fonts and words of other languages stay, their names change with their content. */
async function dropOld(): Promise<void> {
  const cache = await caches.open(CACHE)
  const wanted = new Set(await filesOfApp().catch(() => []))
  if (wanted.size === 0) return
  for (const request of await cache.keys()) {
    const { pathname } = new URL(request.url)
    if (/\.(js|css)$/.test(pathname) && !pathname.includes('/words-') && !wanted.has(pathname))
      await cache.delete(request)
  }
}

/** The newest page when the line carries it in time, else the one that is kept. */
async function openPage(request: Request): Promise<Response> {
  const kept = await caches.match(SHELL)
  const fresh = fetch(request).then(async (answer) => {
    if (answer.ok) await (await caches.open(CACHE)).put(SHELL, answer.clone())
    return answer
  })
  if (kept === undefined) return fresh
  const tooLate = new Promise<Response>((resolve) => setTimeout(() => resolve(kept.clone()), LINE_TIMEOUT_MS))
  return Promise.race([fresh.catch(() => kept.clone()), tooLate])
}

async function keptFile(request: Request): Promise<Response> {
  const kept = await caches.match(request)
  if (kept !== undefined) return kept
  const answer = await fetch(request)
  if (answer.ok) await (await caches.open(CACHE)).put(request, answer.clone())
  return answer
}
