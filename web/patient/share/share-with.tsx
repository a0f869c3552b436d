import { useMutation } from '@tanstack/react-query'
import type { ComponentProps, ReactNode } from 'react'
import type { Hospital } from '../../../src/native/me-linking-routes.ts'
import type { Patient } from '../../../src/people/patient.ts'
import { call, type Problem } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Card, Facts, Page } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import type { Counter } from './counter-code.ts'
import style from './share.module.css'

/** Everything that the counter is told, to the letter, before it is told. */
export function ShareWith(props: {
  readonly counter: Counter
  readonly back: NonNullable<ComponentProps<typeof Page>['back']>
  readonly onSent: (share: string) => void
  readonly onOther: () => void
}): ReactNode {
  const { t } = useWords()
  const { hip, counter } = props.counter
  const hospital = useCall<Hospital>(`/v1/me/hospitals/${encodeURIComponent(hip)}`)
  const me = useCall<Patient>('/v1/me')
  const share = useMutation<{ readonly id: string }, Problem>({
    mutationFn: () => call('/v1/me/shares', { body: { hip, counter } }),
    onSuccess: ({ id }) => props.onSent(id),
  })
  const name = hospital.data?.name
  const error = hospital.error ?? me.error
  return (
    <Page
      title={name === undefined ? t('records.share-title') : t('records.share-whom', { name })}
      {...(name === undefined ? {} : { above: t('records.share-title') })}
      back={props.back}
    >
      {error === null ? null : (
        <Trouble error={error} says={{ 'partners/hip-unavailable': t('records.share-unknown') }} />
      )}
      {error === null && (name === undefined || me.data === undefined) ? (
        <Waiting>{t('common.loading')}</Waiting>
      ) : null}
      {name === undefined || me.data === undefined ? null : (
        <>
          <p>{t('records.share-told', { name })}</p>
          <Card>
            <ProfileFacts patient={me.data} counter={counter} />
          </Card>
          {share.error === null ? null : <Trouble error={share.error} />}
          <Button look="primary" isWide isBusy={share.isPending} onClick={() => share.mutate()}>
            {t('records.share-now')}
          </Button>
        </>
      )}
      <div className={style.scan}>
        <Button look="quiet" onClick={props.onOther}>
          {t('records.share-another')}
        </Button>
      </div>
    </Page>
  )
}

function ProfileFacts({ patient, counter }: { readonly patient: Patient; readonly counter: string }): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const { address } = patient
  const home = [address?.line, address?.district, address?.state, address?.pincode].filter(Boolean).join(', ')
  return (
    <Facts
      rows={[
        [t('records.share-counter'), <bdi key="counter">{counter}</bdi>],
        [t('records.share-name'), <bdi key="name">{patient.name}</bdi>],
        [t('records.share-gender'), t(`records.gender.${patient.gender}`)],
        [t('records.share-birth'), dates.day(patient.birthDate)],
        [t('records.share-mobile'), <bdi key="mobile">{patient.mobile}</bdi>],
        [t('records.share-number'), <bdi key="number">{grouped(patient.abhaNumber)}</bdi>],
        [t('records.share-address'), <bdi key="address">{patient.abhaAddress}</bdi>],
        ...(home === '' ? [] : [[t('records.share-home'), <bdi key="home">{home}</bdi>] as const]),
      ]}
    />
  )
}

/** `91-0000-0000-0001`, as it is printed on the card. */
function grouped(number: string): string {
  return number.replace(/^(\d{2})(\d{4})(\d{4})(\d{4})$/, '$1-$2-$3-$4')
}
