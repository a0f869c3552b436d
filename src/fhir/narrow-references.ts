/** References inside one document: the part of `narrow` that leaves none dangling. */

import { isObject } from './narrow-dates.ts'

type Json = { readonly [key: string]: unknown }
export type Item = { readonly fullUrl: string; readonly resource: Json }

/** `Observation/<id>`, or with the full URL where a resource has no id. */
export function nameOf(item: Item): string {
  const { resourceType, id } = item.resource
  return `${typeof resourceType === 'string' ? resourceType : ''}/${typeof id === 'string' ? id : item.fullUrl}`
}

/** The item that a reference names: by full URL, or as `Type/id`, with or without base and version. */
export function makeResolver(items: readonly Item[]): (reference: string) => Item | undefined {
  const byUrl = new Map(items.map((item) => [item.fullUrl, item]))
  const byTypeAndId = new Map(items.map((item) => [nameOf(item), item]))
  return (reference) => {
    const bare = reference.split('#', 1)[0]?.replace(/\/_history\/[^/]+$/, '') ?? ''
    return byUrl.get(bare) ?? byTypeAndId.get(bare) ?? byTypeAndId.get(bare.split('/').slice(-2).join('/'))
  }
}

/** All `reference` strings below `node`. */
export function referencesIn(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(referencesIn)
  if (!isObject(node)) return []
  const own = typeof node['reference'] === 'string' ? [node['reference']] : []
  return [...own, ...Object.values(node).flatMap(referencesIn)]
}

/** The items that can be reached from `start` by references, `start` included. */
export function reachableFrom(start: Item, resolve: (reference: string) => Item | undefined): Set<string> {
  const seen = new Set([start.fullUrl])
  const open = [start]
  for (let item = open.pop(); item; item = open.pop()) {
    for (const reference of referencesIn(item.resource)) {
      const next = resolve(reference)
      if (next && !seen.has(next.fullUrl)) {
        seen.add(next.fullUrl)
        open.push(next)
      }
    }
  }
  return seen
}

/**
 * `node` without the references that `isGone` says are gone: the same object when there is none. A member of a list
 * that was about the lost resource (`media[].link`, `performer[].actor`, `lineItem[].chargeItemReference`) goes whole.
 */
export function dropReferences(node: Json, isGone: (reference: string) => boolean): Json {
  const kept = Object.entries(node).map(([name, value]) => [name, dropInside(value, isGone)] as const)
  if (kept.every(([name, value]) => value === node[name])) return node
  return Object.fromEntries(kept.filter(([, value]) => value !== undefined))
}

function dropInside(value: unknown, isGone: (reference: string) => boolean): unknown {
  if (Array.isArray(value)) {
    const kept = value
      .map((item) => (isObject(item) && losesReference(item, isGone) ? undefined : dropInside(item, isGone)))
      .filter((item) => item !== undefined)
    if (kept.length === 0 && value.length > 0) return undefined
    return kept.length === value.length && kept.every((item, at) => item === value[at]) ? value : kept
  }
  if (!isObject(value)) return value
  if (isGoneReference(value, isGone)) return undefined
  const kept = dropReferences(value, isGone)
  return Object.keys(kept).length === 0 && Object.keys(value).length > 0 ? undefined : kept
}

function losesReference(item: Json, isGone: (reference: string) => boolean): boolean {
  return (
    isGoneReference(item, isGone) ||
    Object.values(item).some((value) => isObject(value) && isGoneReference(value, isGone))
  )
}

function isGoneReference(value: Json, isGone: (reference: string) => boolean): boolean {
  return typeof value['reference'] === 'string' && isGone(value['reference'])
}
