import type { ReactNode } from 'react'
import { Banner } from '../../ui/state.tsx'
import { useWords } from '../words.ts'
import type { Unopened } from './open-page.ts'

/** What came and could not be opened, each fault once for each hospital. */
export function UnopenedList(props: {
  readonly unopened: readonly Unopened[]
  readonly nameOf: (of: Unopened) => string
}): ReactNode {
  const { t, tn } = useWords()
  if (props.unopened.length === 0) return null
  const groups = Map.groupBy(props.unopened, ({ hip, fault }) => `${hip} ${fault}`)
  return (
    <Banner tone="stopped" icon="warning" title={tn('records.unopened-title', props.unopened.length)}>
      {[...groups].map(([key, [first]]) =>
        first === undefined ? null : (
          <p key={key}>{t(`records.fault.${first.fault}`, { name: props.nameOf(first) })}</p>
        ),
      )}
    </Banner>
  )
}
