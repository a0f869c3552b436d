import { type ReactNode, useState } from 'react'
import { Button } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Card, Facts, Part } from '../../ui/page.tsx'
import { More, usePages } from '../../ui/pages.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { type Review, useReviewRow } from './review-row.tsx'
import { ReviewSheet } from './review-sheet.tsx'
import { ReviewState } from './review-state.tsx'

type Joining = {
  readonly id: string
  readonly status: 'waiting' | 'reviewed'
  readonly isOverdue: boolean
  readonly words: string
  readonly joinedAt: string
  readonly reviewBy: string
  readonly person: { readonly name: string }
  readonly patient: { readonly reference: string; readonly name?: string }
  readonly review?: Review
}

/** Who added herself to those who attend a patient; nothing when nobody did. */
export function Joinings(): ReactNode {
  const { t } = useWords()
  const pages = usePages<{ readonly joinings: readonly Joining[]; readonly next?: string }>(
    '/v1/desk/joinings',
    'after',
  )
  const { data, error, isFetchNextPageError } = pages
  const joinings = data?.pages.flatMap((page) => page.joinings) ?? []
  const [chosen, setChosen] = useState<Joining>()
  if (error !== null && !isFetchNextPageError) return <Trouble error={error} />
  if (joinings.length === 0) return null
  return (
    <Part title={t('emergency.joinings')}>
      <p>{t('emergency.joinings-text')}</p>
      {joinings.map((each) => (
        <JoiningCard key={each.id} joining={each} onReview={() => setChosen(each)} />
      ))}
      <More pages={pages} />
      {chosen === undefined ? null : (
        <ReviewSheet
          path={`/v1/desk/joinings/${chosen.id}/review`}
          title={t('emergency.joined-title', { person: chosen.person.name })}
          onClose={() => setChosen(undefined)}
        />
      )}
    </Part>
  )
}

function JoiningCard(props: { readonly joining: Joining; readonly onReview: () => void }): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const { joining } = props
  const { person, patient } = joining
  const reviewed = useReviewRow(joining.review)
  return (
    <Card>
      <div>
        <ReviewState {...joining} />
      </div>
      <h3>{t('emergency.joined-for', { person: person.name, patient: patient.name ?? patient.reference })}</h3>
      <Facts
        rows={[
          [t('emergency.said'), <bdi key="said">{joining.words}</bdi>],
          [t('emergency.joined-when'), dates.moment(joining.joinedAt)],
          ...reviewed,
        ]}
      />
      {joining.status === 'reviewed' ? null : (
        <div>
          <Button look="primary" onClick={props.onReview} aria-haspopup="dialog">
            {t('emergency.review')}
          </Button>
        </div>
      )}
    </Card>
  )
}
