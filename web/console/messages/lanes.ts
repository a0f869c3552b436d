import type { FlowMessage } from '../flow.ts'
import { shortName } from '../outcome.ts'
import type { Lane } from '../session.ts'
import type { useWords } from '../words.ts'

/** The sample network has its lanes always; everybody else, however many there are, where they take part. */
export function lanesFor(lanes: readonly Lane[], messages: readonly FlowMessage[]): readonly Lane[] {
  const seen = new Set(messages.flatMap(({ from, to }) => [from, to]))
  const isShown = ({ id, kind, isSteered, shutOutAt }: Lane): boolean =>
    kind === 'exchange' || (isSteered === true && shutOutAt === undefined) || seen.has(id)
  const rank = { patients: 0, exchange: 1, facility: 2, outside: 3 } as const
  return lanes.filter(isShown).toSorted((a, b) => rank[a.kind] - rank[b.kind])
}

/** The name of who stands in a lane. */
export function laneName(lanes: readonly Lane[], id: string, t: ReturnType<typeof useWords>['t']): string {
  const lane = lanes.find((one) => one.id === id)
  if (lane?.kind === 'patients') return t('console.patient-app')
  return lane === undefined || lane.kind === 'outside' ? t('console.outside') : shortName(lane.name)
}
