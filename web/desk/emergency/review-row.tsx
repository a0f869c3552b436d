import type { ReactNode } from 'react'
import type { Outcome } from '../../../src/incidents/emergency.ts'
import { useDates } from '../../ui/dates.ts'
import { useWords } from '../words.ts'

/** What somebody else found when she looked at what was done. */
export type Review = { readonly outcome: Outcome; readonly words: string; readonly by: string; readonly at: string }

/** The row of a review among the facts of a card: its outcome, and who wrote what; none while nobody reviewed. */
export function useReviewRow(review: Review | undefined): readonly (readonly [string, ReactNode])[] {
  const { t } = useWords()
  const dates = useDates()
  if (review === undefined) return []
  const { outcome, words, by, at } = review
  return [
    [
      t(`emergency.outcome.${outcome}`),
      <span key="review">
        <bdi>{words}</bdi> <small>{t('emergency.reviewed-by', { person: by, day: dates.day(at) })}</small>
      </span>,
    ],
  ]
}
