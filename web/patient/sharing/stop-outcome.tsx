import { createContext, type ReactNode, useContext, useState } from 'react'
import type { Stopped } from '../../../src/rights/stop-commands.ts'
import type { FacilityView } from '../../../src/rights/views.ts'
import { Sheet } from '../../ui/sheet.tsx'
import { useWords } from '../words.ts'
import style from './sharing.module.css'

type Outcome = { readonly receiver: FacilityView; readonly stopped: Stopped }

const Tell = createContext<(outcome: Outcome) => void>(() => undefined)

/** Says what ended beside the consents, if anything did; for a {@link StopOutcome} around it. */
export function useTellOutcome(): (outcome: Outcome) => void {
  return useContext(Tell)
}

/** Shows it over whatever page is there: the card or the sheet of what was stopped has gone, or moved, by then. */
export function StopOutcome(props: { readonly children: ReactNode }): ReactNode {
  const { t } = useWords()
  const [outcome, setOutcome] = useState<Outcome>()
  const tell = (told: Outcome): void => {
    if (told.stopped.policies.length + told.stopped.subscriptions.length > 0) setOutcome(told)
  }
  return (
    <Tell value={tell}>
      {props.children}
      {outcome === undefined ? null : (
        <Sheet title={t('sharing.stop-with', { name: outcome.receiver.name })} onClose={() => setOutcome(undefined)}>
          <div role="status">
            <p>{t('sharing.step.stopped')}</p>
            <ul className={style.consequences}>
              {outcome.stopped.policies.length === 0 ? null : <li>{t('sharing.stop-standing')}</li>}
              {outcome.stopped.subscriptions.length === 0 ? null : <li>{t('sharing.stop-news')}</li>}
            </ul>
          </div>
        </Sheet>
      )}
    </Tell>
  )
}
