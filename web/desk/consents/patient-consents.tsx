import { type ReactNode, useState } from 'react'
import { Link } from 'wouter'
import { mayDo } from '../../../src/people/rules.ts'
import type { FacilityPatient } from '../../../src/records/patient.ts'
import { Button } from '../../ui/button.tsx'
import { Lines } from '../../ui/lines.tsx'
import { Card, Part } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { Empty, State, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import type { StaffSession } from '../session.ts'
import { useWords } from '../words.ts'
import { AskSheet } from './ask-sheet.tsx'
import { ConsentRow, useAskName } from './consent-row.tsx'
import style from './consents.module.css'
import { type Consent, nameOf, stateOf } from './model.ts'
import { Progress } from './progress.tsx'

/** What this patient was asked to share, the newest with its progress line, and the way to ask. */
export function PatientConsents(props: {
  readonly patient: FacilityPatient
  readonly session: StaffSession
}): ReactNode {
  const { patient, session } = props
  const { t } = useWords()
  const [asks, setAsks] = useState(false)
  const { data, error, refetch } = useCall<{ readonly consents: readonly Consent[] }>(
    `/v1/desk/consents?patient=${encodeURIComponent(patient.reference)}`,
  )
  const hasAddress = patient.abhaAddress !== undefined
  const mayAsk = hasAddress && mayDo(session.staff.role, 'consent.ask')
  const [newest, ...earlier] = data?.consents ?? []
  return (
    <Part title={t('consents.of-patient')}>
      {error === null ? null : <Trouble error={error} onAgain={() => void refetch()} />}
      {data === undefined && error === null ? <Waiting>{t('consents.loading')}</Waiting> : null}
      {data !== undefined && newest === undefined ? (
        <Empty icon="inbox" title={t('consents.of-patient-empty')}>
          <p>{hasAddress ? t('consents.of-patient-empty-text', { name: patient.name }) : t('ask.no-abha')}</p>
        </Empty>
      ) : null}
      {newest === undefined ? null : <Newest consent={newest} />}
      {earlier.length === 0 ? null : (
        <Lines>
          {earlier.map((consent) => (
            <li key={consent.id}>
              <ConsentRow consent={consent} to={addressOf(consent)} isOpen={false} isOfPatient />
            </li>
          ))}
        </Lines>
      )}
      {mayAsk ? (
        <div>
          <Button icon="inbox" onClick={() => setAsks(true)}>
            {t('consents.ask')}
          </Button>
        </div>
      ) : null}
      {asks ? <AskSheet patient={patient} session={session} onClose={() => setAsks(false)} /> : null}
    </Part>
  )
}

const LISTS: Readonly<Record<Consent['status'], string>> = {
  asked: 'waiting',
  requested: 'waiting',
  granted: 'live',
  denied: 'ended',
  expired: 'ended',
  revoked: 'ended',
  failed: 'ended',
}
const addressOf = ({ id, status }: Consent): string => `/consents/${LISTS[status]}/${id}`

function Newest(props: { readonly consent: Consent }): ReactNode {
  const { consent } = props
  const { t } = useWords()
  const askName = useAskName()
  const [tone, words] = stateOf(consent)
  return (
    <Card label={askName(consent)}>
      <div className={style.newest}>
        <h3>{askName(consent)}</h3>
        <State tone={tone}>{t(words, { name: nameOf(consent) })}</State>
      </div>
      <Progress consent={consent} />
      <div>
        <ConsentLink consent={consent} />
      </div>
    </Card>
  )
}

function ConsentLink(props: { readonly consent: Consent }): ReactNode {
  const { t } = useWords()
  return <Link href={addressOf(props.consent)}>{t('consents.see')}</Link>
}
