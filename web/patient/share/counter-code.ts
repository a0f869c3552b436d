/** The hospital and the counter that a code at a counter names. */
export type Counter = { readonly hip: string; readonly counter: string }

const HIP = /^[A-Za-z0-9][A-Za-z0-9_.@-]{1,63}$/

/**
 * Reads what a camera saw or a person typed: the address of our share page, ABDM's own (`hip-id`, `counter-id`), or `IN2710000011/A-2`.
 * Undefined when it is none of these.
 */
export function readCounter(text: string): Counter | undefined {
  const clean = text.trim()
  if (URL.canParse(clean)) return readQuery(new URL(clean).searchParams)
  const [, hip = '', counter = ''] = /^(\S+?)[/\s]+(\S.*)$/.exec(clean) ?? []
  // Words of a sentence are no code: numbers of hospitals have digits.
  return /\d/.test(hip) ? counterOf(hip, counter) : undefined
}

/** The same from the query of an address. */
export function readQuery(query: URLSearchParams): Counter | undefined {
  return counterOf(query.get('hip') ?? query.get('hip-id') ?? '', query.get('counter') ?? query.get('counter-id') ?? '')
}

function counterOf(hip: string, counter: string): Counter | undefined {
  const name = counter.trim()
  return HIP.test(hip) && name !== '' && name.length <= 100 ? { hip, counter: name } : undefined
}
