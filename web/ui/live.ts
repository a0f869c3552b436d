import { useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { actingFor } from './api.ts'

const POLL_EVERY_MS = 15_000
/** `meta` of a query whose every asking stands in the log: it is asked when a person asks, and never because something changed. */
export const ASKED_BY_HAND = { isAskedByHand: true }

/** Even while the stream holds: another process of the server may have news that this one does not tell. */
const LOOK_EVERY_MS = 60_000
/** The server says something every 15 seconds. */
const SILENCE_MS = 40_000
const AGAIN_MS_MIN = 1_000
const AGAIN_MS_MAX = 30_000

/**
 * Keeps everything on the screen fresh: whenever the server says that something changed, all queries are asked again. When the stream
 * fails, they are asked every 15 seconds until it is back. While the page is hidden nothing is asked. `path` undefined = signed out.
 */
export function useLive(path: string | undefined): void {
  const client = useQueryClient()
  // Another person, another stream.
  const whom = actingFor()
  useEffect(() => {
    if (path === undefined) return
    return followLive(
      path,
      whom,
      () => void client.invalidateQueries({ predicate: ({ meta }) => meta !== ASKED_BY_HAND }),
    )
  }, [client, path, whom])
}

/** Follows a stream until the returned function is called; `onNews` may come more often than there are news, never less. */
function followLive(path: string, whom: string | undefined, onNews: () => void): () => void {
  let abort: AbortController | undefined
  let again: number | undefined
  let failures = 0
  let isOver = false

  const follow = async (): Promise<void> => {
    const own = new AbortController()
    abort = own
    const onOpen = (): void => {
      // What happened between two streams, nobody told us.
      if (failures > 0) onNews()
      failures = 0
    }
    const outcome = await readStream(path, whom, own, onOpen, onNews)
    if (isOver || abort !== own) return
    abort = undefined
    // Signed out: the next question of the page is told so, and shows it.
    if (outcome === 'refused') return onNews()
    failures++
    const waitMs = Math.min(AGAIN_MS_MAX, AGAIN_MS_MIN * 2 ** (failures - 1)) * (0.5 + Math.random() / 2)
    again = window.setTimeout(() => void follow(), waitMs)
  }
  const pause = (): void => {
    window.clearTimeout(again)
    const held = abort
    abort = undefined
    held?.abort()
  }
  const onVisible = (): void => {
    pause()
    if (document.visibilityState === 'hidden') return
    onNews()
    void follow()
  }
  const poll = window.setInterval(() => {
    if (failures > 0 && document.visibilityState === 'visible') onNews()
  }, POLL_EVERY_MS)
  const look = window.setInterval(() => {
    if (document.visibilityState === 'visible') onNews()
  }, LOOK_EVERY_MS)
  document.addEventListener('visibilitychange', onVisible)
  if (document.visibilityState === 'visible') void follow()
  return () => {
    isOver = true
    pause()
    window.clearInterval(poll)
    window.clearInterval(look)
    document.removeEventListener('visibilitychange', onVisible)
  }
}

/** Reads one stream to its end, whatever the end is. `EventSource` cannot say for whom a guardian acts. */
async function readStream(
  path: string,
  whom: string | undefined,
  abort: AbortController,
  onOpen: () => void,
  onNews: () => void,
): Promise<'ended' | 'refused'> {
  let silence: number | undefined
  const watch = (): void => {
    window.clearTimeout(silence)
    silence = window.setTimeout(() => abort.abort(), SILENCE_MS)
  }
  watch()
  try {
    const answer = await fetch(path, {
      credentials: 'same-origin',
      headers: { accept: 'text/event-stream', ...(whom === undefined ? {} : { 'x-acting-for': whom }) },
      signal: abort.signal,
    })
    if (answer.status === 401 || answer.status === 403) return 'refused'
    const reader = answer.ok ? answer.body?.getReader() : undefined
    if (reader === undefined) return 'ended'
    onOpen()
    const decoder = new TextDecoder()
    let unread = ''
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return 'ended'
      watch()
      const messages = (unread + decoder.decode(value, { stream: true })).split('\n\n')
      unread = messages.pop() ?? ''
      if (messages.some((message) => message.startsWith('event: changed'))) onNews()
    }
  } catch {
    // The line broke, or we hung up ourselves: the caller tries again or has stopped.
    return 'ended'
  } finally {
    window.clearTimeout(silence)
  }
}
