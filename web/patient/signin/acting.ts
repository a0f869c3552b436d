import { useQueryClient } from '@tanstack/react-query'
import { useCallback, useSyncExternalStore } from 'react'
import { useLocation } from 'wouter'
import { actingFor, setActingFor } from '../../ui/api.ts'

/** Survives a reload of this tab, and no longer: the next one begins with the person herself. */
const KEPT = 'amanat.acting-for'
const listeners = new Set<() => void>()

function subscribe(changed: () => void): () => void {
  listeners.add(changed)
  return () => listeners.delete(changed)
}

function actFor(abhaAddress: string | undefined): void {
  if (actingFor() === abhaAddress) return
  setActingFor(abhaAddress)
  if (abhaAddress === undefined) sessionStorage.removeItem(KEPT)
  else sessionStorage.setItem(KEPT, abhaAddress)
  for (const changed of listeners) changed()
}

/** For whom this tab acts: a child or dependant; undefined = for oneself. */
export function useActingFor(): string | undefined {
  return useSyncExternalStore(subscribe, actingFor)
}

/** Begins, or ends, to act for somebody: from the first page, with nothing on the screen of the person before. */
export function useActFor(): (abhaAddress: string | undefined) => void {
  const client = useQueryClient()
  const [, go] = useLocation()
  return useCallback(
    (abhaAddress) => {
      void client.cancelQueries()
      actFor(abhaAddress)
      go('/')
    },
    [client, go],
  )
}

/** Takes up after a reload what this tab was doing, as far as it is still allowed. Called before anything is asked for. */
export function resumeActing(dependants: readonly { readonly abhaAddress: string }[]): void {
  const kept = sessionStorage.getItem(KEPT) ?? actingFor()
  actFor(dependants.some(({ abhaAddress }) => abhaAddress === kept) ? (kept ?? undefined) : undefined)
}

/** Nobody is signed in any more. */
export function stopActing(): void {
  actFor(undefined)
}
