/** Reads messages of the wire loosely: the peers of the journeys know nothing of our schemas. */

/** The value at a path such as `notification.consentId`; undefined when a part is not there. */
export function at(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (inner, field) =>
        typeof inner === 'object' && inner !== null ? (inner as Readonly<Record<string, unknown>>)[field] : undefined,
      value,
    )
}

/** The text at a path; throws when it is not a text. */
export function textAt(value: unknown, path: string): string {
  const found = at(value, path)
  if (typeof found !== 'string') throw new Error(`${path} is not a text in ${JSON.stringify(value)}`)
  return found
}

/** The list at a path; empty when there is none. */
export function listAt(value: unknown, path: string): readonly unknown[] {
  const found = at(value, path)
  return Array.isArray(found) ? (found as readonly unknown[]) : []
}

/** The texts of a field of every member of a list. */
export function textsAt(value: unknown, path: string, field: string): readonly string[] {
  return listAt(value, path).map((one) => textAt(one, field))
}
