import { type ReactNode, useEffect, useRef } from 'react'
import type { HiType } from '../../../src/fhir/hi-type.ts'
import type { Problem } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import type { Opened, Place } from './model.ts'
import { countsOf, nextOf } from './pages.ts'
import style from './reading.module.css'

/** Opens the page below what is open; `kinds` empty = all kinds. */
export type Older = {
  readonly open: (kinds: readonly HiType[], below: Place) => void
  readonly isOpening: boolean
  readonly error: Problem | null
}

/** Below the list: how much is open, and the way to what is older. Nothing opens by itself: each page is a view that the log keeps. */
export function OlderRecords(props: {
  readonly opened: Opened
  readonly kinds: readonly HiType[]
  readonly older: Older
}): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const { opened, kinds, older } = props
  const { open, there } = countsOf(opened, kinds)
  const below = nextOf(opened, kinds)
  const status = useRef<HTMLParagraphElement>(null)
  const hadMore = useRef(below !== undefined)
  useEffect(() => {
    // The button that had the focus is gone with the last page.
    if (hadMore.current && below === undefined && document.activeElement === document.body) status.current?.focus()
    hadMore.current = below !== undefined
  }, [below])
  if (opened.isWhole) return null
  const values = { n: dates.number(open), of: dates.number(there) }
  return (
    <div className={style.older}>
      <p role="status" ref={status} tabIndex={-1}>
        {older.isOpening ? t('reading.older-opening') : t('reading.older-open', values)}
      </p>
      {older.error === null ? null : (
        <Trouble error={older.error} says={{ 'records/not-yours': t('reading.not-yours') }} />
      )}
      {below === undefined ? null : (
        <Button icon="down" onClick={() => (older.isOpening ? undefined : older.open(kinds, below))}>
          {t('reading.older')}
        </Button>
      )}
    </div>
  )
}
