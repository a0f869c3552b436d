import type { ReactNode } from 'react'
import { useDates } from '../../ui/dates.ts'
import { State } from '../../ui/state.tsx'
import { useWords } from '../words.ts'

/** Whether a review is written, waits, or is late. */
export function ReviewState(props: {
  readonly status: string
  readonly isOverdue: boolean
  readonly reviewBy: string
}): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  if (props.status === 'reviewed') return <State tone="live">{t('emergency.reviewed')}</State>
  const by = t('emergency.review-by', { day: dates.day(props.reviewBy) })
  return props.isOverdue ? (
    <State tone="stopped" icon="warning">
      {t('emergency.overdue')}
      {t('common.between')}
      {by}
    </State>
  ) : (
    <State tone="waiting">
      {t('emergency.waiting')}
      {t('common.between')}
      {by}
    </State>
  )
}
