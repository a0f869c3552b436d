import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import type { EmergencyReason } from '../../../src/consent/emergency.ts'
import { OUTCOMES, type Outcome } from '../../../src/incidents/emergency.ts'
import { call, type Problem } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Choices, TextArea, Tick } from '../../ui/fields.tsx'
import { Card, Facts, Page } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { Sheet } from '../../ui/sheet.tsx'
import { Empty, State, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'

type Emergency = {
  readonly id: string
  readonly status: 'open' | 'ended' | 'reviewed'
  readonly isOpen: boolean
  readonly isOverdue: boolean
  readonly reason: EmergencyReason
  readonly words: string
  readonly openedAt: string
  readonly until: string
  readonly endedAt?: string
  readonly reviewBy: string
  readonly person: { readonly name: string }
  readonly patient: { readonly reference: string; readonly name?: string }
  readonly review?: { readonly outcome: Outcome; readonly words: string; readonly by: string; readonly at: string }
}

/** What was opened in emergencies: what waits for a review on top, with the date by which it must be written. */
export function ReviewsPage(): ReactNode {
  const { t } = useWords()
  const { data, error, refetch } = useCall<{ readonly emergencies: readonly Emergency[] }>('/v1/desk/emergencies')
  const [chosen, setChosen] = useState<Emergency>()
  return (
    <Page title={t('emergency.reviews')}>
      {error === null ? null : <Trouble error={error} onAgain={() => void refetch()} />}
      {data === undefined && error === null ? <Waiting>{t('common.loading')}</Waiting> : null}
      {data?.emergencies.length === 0 ? (
        <Empty icon="emergency" title={t('emergency.reviews-empty')}>
          <p>{t('emergency.reviews-empty-text')}</p>
        </Empty>
      ) : null}
      {data?.emergencies.map((each) => (
        <EmergencyCard key={each.id} emergency={each} onReview={() => setChosen(each)} />
      ))}
      {chosen === undefined ? null : <ReviewSheet emergency={chosen} onClose={() => setChosen(undefined)} />}
    </Page>
  )
}

function EmergencyCard(props: { readonly emergency: Emergency; readonly onReview: () => void }): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const { emergency } = props
  const { person, patient, review } = emergency
  return (
    <Card>
      <div>
        <EmergencyState emergency={emergency} />
      </div>
      <h2>{t('emergency.opened-for', { person: person.name, patient: patient.name ?? patient.reference })}</h2>
      <Facts
        rows={[
          [t('emergency.danger'), t(`emergency.reason.${emergency.reason}`)],
          [t('emergency.said'), <bdi key="said">{emergency.words}</bdi>],
          [t('emergency.when'), dates.moment(emergency.openedAt)],
          ...(emergency.endedAt === undefined
            ? []
            : [[t('emergency.ended'), dates.moment(emergency.endedAt)] as const]),
          ...(review === undefined
            ? []
            : [
                [
                  t(`emergency.outcome.${review.outcome}`),
                  <span key="review">
                    <bdi>{review.words}</bdi>{' '}
                    <small>{t('emergency.reviewed-by', { person: review.by, day: dates.day(review.at) })}</small>
                  </span>,
                ] as const,
              ]),
        ]}
      />
      {emergency.status === 'reviewed' || emergency.isOpen ? null : (
        <div>
          <Button look="primary" onClick={props.onReview} aria-haspopup="dialog">
            {t('emergency.review')}
          </Button>
        </div>
      )}
    </Card>
  )
}

function EmergencyState({ emergency }: { readonly emergency: Emergency }): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  if (emergency.status === 'reviewed') return <State tone="live">{t('emergency.reviewed')}</State>
  if (emergency.isOpen) return <State tone="emergency">{t('emergency.still-open')}</State>
  const by = t('emergency.review-by', { day: dates.day(emergency.reviewBy) })
  return emergency.isOverdue ? (
    <State tone="stopped" icon="warning">
      {t('emergency.overdue')} · {by}
    </State>
  ) : (
    <State tone="waiting">
      {t('emergency.waiting')} · {by}
    </State>
  )
}

const WORDS_MIN = 10

function ReviewSheet(props: { readonly emergency: Emergency; readonly onClose: () => void }): ReactNode {
  const { t } = useWords()
  const client = useQueryClient()
  const [outcome, setOutcome] = useState<Outcome>()
  const [words, setWords] = useState('')
  const [isBusy, setIsBusy] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  const isWhole = outcome !== undefined && words.trim().length >= WORDS_MIN
  const save = async (): Promise<void> => {
    setIsBusy(true)
    try {
      await call(`/v1/desk/emergencies/${props.emergency.id}/review`, { body: { outcome, words: words.trim() } })
      props.onClose()
      await client.invalidateQueries()
    } catch (error) {
      setProblem(error as Problem)
    } finally {
      setIsBusy(false)
    }
  }
  return (
    <Sheet
      title={t('emergency.review-title', { person: props.emergency.person.name })}
      onClose={props.onClose}
      actions={
        <>
          <Button look="primary" isBusy={isBusy} disabled={!isWhole} onClick={() => void save()}>
            {t('emergency.review-save')}
          </Button>
          <Button onClick={props.onClose}>{t('common.cancel')}</Button>
        </>
      }
    >
      <Choices legend={t('emergency.verdict')}>
        {OUTCOMES.map((each) => (
          <Tick
            key={each}
            kind="radio"
            name="outcome"
            label={t(`emergency.outcome.${each}`)}
            checked={outcome === each}
            onChange={() => setOutcome(each)}
          />
        ))}
      </Choices>
      <TextArea
        label={t('emergency.finding')}
        hint={t('emergency.words-short')}
        maxLength={1_000}
        value={words}
        onChange={(event) => setWords(event.target.value)}
      />
      {problem === undefined ? null : (
        <Trouble
          error={problem}
          says={{
            'incidents/own-review': t('emergency.own'),
            'incidents/not-ended': t('emergency.not-yet-ended'),
          }}
        />
      )}
    </Sheet>
  )
}
