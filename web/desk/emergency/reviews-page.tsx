import { type ReactNode, useState } from 'react'
import type { EmergencyReason } from '../../../src/consent/emergency.ts'
import type { OnPaper, Told } from '../../../src/incidents/emergency.ts'
import { LIMITS } from '../../../src/kernel/limits.ts'
import { Button } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Card, Facts, Page } from '../../ui/page.tsx'
import { More, usePages } from '../../ui/pages.tsx'
import { Empty, State, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useAct } from '../act.ts'
import { useWords } from '../words.ts'
import style from './emergency.module.css'
import { Joinings } from './joinings.tsx'
import { type Review, useReviewRow } from './review-row.tsx'
import { ReviewSheet } from './review-sheet.tsx'
import { ReviewState } from './review-state.tsx'

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
  readonly told: Told
  readonly toldAt?: string
  readonly onPaper?: OnPaper
  readonly person: { readonly name: string }
  readonly patient: { readonly reference: string; readonly name?: string }
  readonly review?: Review
}

/** What was opened in emergencies: what waits for a review on top, with the date by which it must be written. */
export function ReviewsPage(): ReactNode {
  const { t } = useWords()
  const pages = usePages<{ readonly emergencies: readonly Emergency[]; readonly next?: string }>(
    '/v1/desk/emergencies',
    'after',
  )
  const { data, error, refetch, isFetchNextPageError } = pages
  const emergencies = data?.pages.flatMap((page) => page.emergencies)
  const [chosen, setChosen] = useState<Emergency>()
  return (
    <Page title={t('emergency.reviews')}>
      {error === null || isFetchNextPageError ? null : <Trouble error={error} onAgain={() => void refetch()} />}
      {data === undefined && error === null ? <Waiting>{t('common.loading')}</Waiting> : null}
      {emergencies?.length === 0 ? (
        <Empty icon="emergency" title={t('emergency.reviews-empty')}>
          <p>{t('emergency.reviews-empty-text')}</p>
        </Empty>
      ) : null}
      {emergencies?.map((each) => (
        <EmergencyCard key={each.id} emergency={each} onReview={() => setChosen(each)} />
      ))}
      <More pages={pages} />
      <Joinings />
      {chosen === undefined ? null : (
        <ReviewSheet
          path={`/v1/desk/emergencies/${chosen.id}/review`}
          title={t('emergency.review-title', { person: chosen.person.name })}
          onClose={() => setChosen(undefined)}
        />
      )}
    </Page>
  )
}

function EmergencyCard(props: { readonly emergency: Emergency; readonly onReview: () => void }): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const { emergency } = props
  const { person, patient } = emergency
  const reviewed = useReviewRow(emergency.review)
  return (
    <Card>
      <div>
        <EmergencyState emergency={emergency} />
      </div>
      <h2>{t('emergency.opened-for', { person: person.name, patient: patient.name ?? patient.reference })}</h2>
      <Facts
        rows={[
          ...(patient.name === undefined
            ? []
            : [[t('patients.our-number'), <bdi key="number">{patient.reference}</bdi>] as const]),
          [t('emergency.danger'), t(`emergency.reason.${emergency.reason}`)],
          [t('emergency.said'), <bdi key="said">{emergency.words}</bdi>],
          [t('emergency.when'), dates.moment(emergency.openedAt)],
          ...(emergency.endedAt === undefined
            ? []
            : [[t('emergency.ended'), dates.moment(emergency.endedAt)] as const]),
          [t('emergency.told'), <ToldWords key="told" emergency={emergency} />],
          ...reviewed,
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

/** By which way the patient was told; a letter is said to have gone out here. */
function ToldWords({ emergency }: { readonly emergency: Emergency }): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const { id, told, toldAt, onPaper } = emergency
  const sent = useAct<void>(() => ({ path: `/v1/desk/emergencies/${id}/letter` }))
  if (told === 'exchange') return t('emergency.told-exchange')
  if (toldAt !== undefined) return t(`emergency.told-${told}`, { when: dates.moment(toldAt) })
  return (
    <div className={style.letter}>
      <State tone="stopped" icon="warning">
        {t('emergency.untold')}
      </State>
      <p>{t(`emergency.untold.${onPaper ?? 'no-mobile'}`, { n: LIMITS.emergenciesPerPatientDayMax })}</p>
      <p>{t('emergency.letter-hint')}</p>
      <Button isBusy={sent.isBusy} onClick={() => sent.run()}>
        {t('emergency.letter-sent')}
      </Button>
      {sent.error === null ? null : <Trouble error={sent.error} />}
    </div>
  )
}

function EmergencyState({ emergency }: { readonly emergency: Emergency }): ReactNode {
  const { t } = useWords()
  if (emergency.isOpen) return <State tone="emergency">{t('emergency.still-open')}</State>
  return <ReviewState {...emergency} />
}
