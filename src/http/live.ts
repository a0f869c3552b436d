import type { ServerResponse } from 'node:http'
import type { Changes, Topic } from '../db/changes.ts'
import type { Caller } from '../kernel/caller.ts'
import { LIMITS } from '../kernel/limits.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import { callerName } from './once.ts'
import { type Auth, type Route, route } from './route.ts'

/** What one reader of a live stream may hear, and whether it still may. */
export type LiveReader = {
  readonly caller: Caller
  readonly topic: Topic
  /** Asks again who calls: false when the session has ended or the caller may not hear this topic any more. */
  readonly mayStay: () => Promise<boolean>
}

export type LiveStreams = {
  /** Room for one more stream of this caller; a refusal when there is none. */
  readonly admit: (caller: Caller) => Refusal | undefined
  /** Answers with `text/event-stream` until the reader leaves, may not stay, or the server closes. */
  readonly open: (reader: LiveReader, response: ServerResponse, headers: Readonly<Record<string, string>>) => void
  /** Ends all streams, for good. */
  readonly close: () => void
  readonly count: () => number
}

/**
 * Live updates (server-sent events): `event: changed`, `data: {"types":["consent.granted"]}` a moment after the commit, without content:
 * the reader asks again for what it shows. A comment line every few seconds keeps the line open and finds dead ones.
 */
export function makeLiveStreams(needs: { readonly changes: Changes }): LiveStreams {
  const streams = new Set<{ readonly owner: string; readonly end: () => void }>()
  let closed = false
  return {
    admit: (caller) => {
      if (closed || streams.size >= LIMITS.liveStreamsMax) return refuse('machine/unavailable')
      const own = [...streams].filter(({ owner }) => owner === callerName(caller)).length
      return own >= LIMITS.liveStreamsPerCallerMax
        ? refuse('request/too-many', `At most ${LIMITS.liveStreamsPerCallerMax} live connections of one person.`)
        : undefined
    },
    open: (reader, response, headers) => {
      response.writeHead(200, {
        ...headers,
        'content-type': 'text/event-stream',
        // Proxies that gather answers would hold the news back.
        'x-accel-buffering': 'no',
      })
      response.write(': open\n\n')
      const stream = {
        owner: callerName(reader.caller),
        end: pump(needs.changes, reader, response, () => streams.delete(stream)),
      }
      streams.add(stream)
      if (closed) stream.end()
    },
    close: () => {
      closed = true
      for (const { end } of streams) end()
    },
    count: () => streams.size,
  }
}

function pump(changes: Changes, reader: LiveReader, response: ServerResponse, onEnd: () => void): () => void {
  const types = new Set<string>()
  let flush: NodeJS.Timeout | undefined
  let checkedAtMs = performance.now()
  let ended = false
  const send = (text: string): void => {
    if (ended) return
    // A reader that does not take what it is sent is gone, or will ask again.
    if (response.writableLength > LIMITS.liveUnsentBytesMax) end()
    else response.write(text)
  }
  const stayOrEnd = async (): Promise<boolean> => {
    checkedAtMs = performance.now()
    const stays = await reader.mayStay().catch(() => false)
    if (!stays) end()
    return stays
  }
  const tell = async (): Promise<void> => {
    flush = undefined
    const told = [...types]
    types.clear()
    if (performance.now() - checkedAtMs > LIMITS.liveCheckEveryMs && !(await stayOrEnd())) return
    send(`event: changed\ndata: ${JSON.stringify({ types: told })}\n\n`)
  }
  const stop = changes.listen(reader.topic, (type) => {
    types.add(type)
    flush ??= setTimeout(() => void tell(), LIMITS.liveGatherMs)
  })
  const beat = setInterval(
    () => void stayOrEnd().then((stays) => (stays ? send(': still here\n\n') : undefined)),
    LIMITS.liveBeatMs,
  )
  beat.unref()
  const end = (): void => {
    if (ended) return
    ended = true
    stop()
    clearTimeout(flush)
    clearInterval(beat)
    onEnd()
    response.end()
  }
  response.on('close', end)
  response.on('error', end)
  return end
}

/** A row of a route table that answers with live updates; `topicOf` says what this caller may hear. */
export function liveRoute(described: {
  readonly path: string
  readonly summary: string
  readonly auth: Auth
  readonly topicOf: (caller: Caller) => Topic | Refusal
}): Route {
  const { topicOf, ...rest } = described
  return route({
    ...rest,
    dialect: 'native',
    method: 'GET',
    once: false,
    live: topicOf,
    answers: {
      200: { description: 'text/event-stream: `changed` events with the types of what happened, without content' },
      429: { description: 'Too many live connections of this person' },
    },
    handle: async () => ({ status: 200 }),
  })
}
