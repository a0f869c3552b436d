import type { Seeded } from '../seeded.ts'
import { TROUBLES, type Trouble, type Weather } from './proxy.ts'

/** The head of a call of ours has about this many bytes; documents are a multiple of it. */
const BYTES_MAX = 6_000
const BAD_SHARE = 0.3

/** Of every ten connections, three meet a fault of the seed's choice. */
export function stormOf(dice: Seeded): Weather {
  return () => (dice.next() < BAD_SHARE ? troubleOf(dice) : undefined)
}

function troubleOf(dice: Seeded): Trouble {
  const kind = dice.pick(TROUBLES)
  const afterBytes = Math.floor(dice.next() * BYTES_MAX)
  switch (kind) {
    case 'latency':
      return { kind, ms: 10 + Math.floor(dice.next() * 150) }
    case 'throttle':
      return { kind, bytesPerSecond: 20_000 + Math.floor(dice.next() * 80_000) }
    case 'cut':
    case 'reset':
      return { kind, of: dice.pick(['request', 'answer']), afterBytes }
    case 'half-open':
      return { kind, afterBytes }
    case 'black hole':
      return { kind }
  }
}
