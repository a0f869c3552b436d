import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useSyncExternalStore } from 'react'
import { call, Problem } from '../../ui/api.ts'
import { usePerson } from '../person.ts'
import { type Collector, type OwnCopy, startCollector } from './collector.ts'

/** Something is known. `broken`: the line is; what came stays. */
export type CopyLook = {
  readonly phase: 'running' | 'done' | 'broken'
  readonly copy: OwnCopy
  /** When it began, on the clock of `performance`. */
  readonly since: number
}

/** What of the own records is in the memory of this page. Nothing of it is ever written anywhere. */
export type Look =
  | { readonly phase: 'none' }
  | { readonly phase: 'starting' }
  | CopyLook
  | { readonly phase: 'failed'; readonly error: unknown }

const STEP_MS_MIN = 500
const STEP_MS_MAX = 3_000
const NOTHING: Look = { phase: 'none' }

let look: Look = NOTHING
let whose: string | undefined
let collector: Collector | undefined
let timer: number | undefined
/** Told apart by number, so that an answer to an earlier look changes nothing. */
let turn = 0
/** In which forms this look was taken out, each after a proof anew. */
const takenOut = new Set<string>()
const listeners = new Set<() => void>()

function show(next: Look): void {
  look = next
  for (const changed of listeners) changed()
}

/** Forgets everything: keys, documents, and what was on its way. */
function forget(): void {
  turn++
  takenOut.clear()
  window.clearTimeout(timer)
  collector = undefined
  whose = undefined
  if (look !== NOTHING) show(NOTHING)
}

/** Whether she proved anew that this look leaves the page in this form. */
export function isTakenOut(form: string): boolean {
  return takenOut.has(form)
}
export function noteTakenOut(form: string): void {
  takenOut.add(form)
}

/** Something new is linked: the next look at the records asks anew. */
export function lookAnew(): void {
  forget()
}

const random = (bytes: number): Uint8Array => crypto.getRandomValues(new Uint8Array(bytes))

/** Asks the hospitals anew, for the person whom the pages are about now. */
async function begin(person: string): Promise<void> {
  const before = collector
  forget()
  const own = turn
  whose = person
  show({ phase: 'starting' })
  // What an earlier look left waiting is of no use to anybody.
  await before?.close().catch(ignoreGone)
  try {
    const started = await startCollector({ call, random })
    if (own !== turn) return void started.collector.close().catch(ignoreGone)
    collector = started.collector
    show({ phase: 'running', copy: started.first, since: performance.now() })
    step(own, STEP_MS_MIN)
  } catch (error) {
    if (own === turn) show({ phase: 'failed', error })
  }
}

function ignoreGone(error: unknown): void {
  if (!(error instanceof Problem)) throw error
}

function step(own: number, delayMs: number): void {
  timer = window.setTimeout(() => void stepNow(own, delayMs), delayMs)
}

async function stepNow(own: number, delayMs: number): Promise<void> {
  const current = look
  if (own !== turn || collector === undefined || !('copy' in current)) return
  try {
    const copy = await collector.step()
    if (own !== turn) return
    show({ phase: copy.isDone ? 'done' : 'running', copy, since: current.since })
    if (!copy.isDone) step(own, Math.min(STEP_MS_MAX, delayMs * 1.2))
  } catch (error) {
    if (own !== turn) return
    const isOver = error instanceof Problem && error.status === 404
    show({ phase: isOver ? 'done' : 'broken', copy: isOver ? ended(current.copy) : current.copy, since: current.since })
    if (!isOver) step(own, STEP_MS_MAX)
  }
}

/** The exchange has thrown away what waited: nothing more comes. */
function ended(copy: OwnCopy): OwnCopy {
  return { ...copy, isDone: true }
}

const subscribe = (changed: () => void): (() => void) => {
  listeners.add(changed)
  return () => listeners.delete(changed)
}

/**
 * The own records of the person whom the pages are about: asked for when first needed, kept while the app is open and somebody is
 * signed in, gone after that.
 */
export function useOwnCopy(): { readonly look: Look; readonly again: () => void } {
  const shown = useSyncExternalStore(subscribe, () => look)
  const person = usePerson()
  const client = useQueryClient()
  useEffect(() => {
    if (person !== undefined && whose !== person) void begin(person)
  }, [person])
  useEffect(() => watchSession(client), [client])
  return {
    look: whose === person ? shown : NOTHING,
    again: () => {
      if (person !== undefined) void begin(person)
    },
  }
}

let isWatching = false

/** Stays when the page of the records is left: signing out must empty the memory from every page. */
function watchSession(client: ReturnType<typeof useQueryClient>): void {
  if (isWatching) return
  isWatching = true
  client.getQueryCache().subscribe(({ query }) => {
    if (query.queryKey[0] === 'session' && query.state.data === null) forget()
  })
}
