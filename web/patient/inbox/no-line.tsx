import { type ReactNode, useEffect } from 'react'
import { useOnline } from '../../ui/online.ts'
import { Page } from '../../ui/page.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { peopleHere } from '../signin/ended.ts'
import { useWords } from '../words.ts'
import { useAllQueued } from './queue.ts'
import { QueuedBanner } from './queued-list.tsx'

const AGAIN_MS = 15_000

/**
 * The app was opened without a line, so nobody can say who is signed in: it shows what waits on this device for the person who was, and opens
 * by itself when the line is back.
 */
export function NoLine(props: { readonly error: unknown; readonly onAgain: () => void }): ReactNode {
  const { t } = useWords()
  const { error, onAgain } = props
  const isOnline = useOnline()
  const here = peopleHere()
  const queued = useAllQueued().filter(({ person }) => here.includes(person))
  useEffect(() => {
    if (isOnline && error !== null) onAgain()
    const again = window.setInterval(onAgain, AGAIN_MS)
    return () => window.clearInterval(again)
    // Asking again is the same act whichever rendering made it; a new error alone is no reason to ask at once.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [isOnline])
  return (
    <Page title={t('inbox.title')}>
      {isOnline && error !== null ? <Trouble error={error} onAgain={onAgain} /> : null}
      <p>{t('inbox.no-line')}</p>
      {queued.map((each) => (
        <QueuedBanner key={each.request} queued={each} />
      ))}
    </Page>
  )
}
