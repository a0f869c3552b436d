import { type ReactNode, useState } from 'react'
import { useDates } from '../../ui/dates.ts'
import { Bar } from '../../ui/state.tsx'
import { useWords } from '../words.ts'
import style from './sharing.module.css'

/** A thin bar of the time left, with its words. */
export function TimeLeft(props: { readonly until: string; readonly share: number }): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const [now] = useState(() => new Date())
  const { until, share } = props
  return (
    <div className={style.left}>
      <Bar share={share} tone="live" />
      <p>{t('sharing.live-until', { day: dates.day(until), relative: dates.relative(until, now) })}</p>
    </div>
  )
}
