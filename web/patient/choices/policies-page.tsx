import { type ReactNode, useState } from 'react'
import { useSearch } from 'wouter'
import type { HiType } from '../../../src/fhir/hi-type.ts'
import type { PolicyView } from '../../../src/native/me-policy-routes.ts'
import { call } from '../../ui/api.ts'
import { Button, ButtonLink, ButtonRow } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Page } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { Banner, Empty, State, Waiting } from '../../ui/state.tsx'
import { useStepUp } from '../../ui/step-up.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { sayTypes } from '../inbox/sentences.ts'
import { type PatientKey, useWords } from '../words.ts'
import style from './choices.module.css'
import { useAct } from './use-act.ts'

/** `GET /v1/me/policies` */
export type Policies = {
  readonly policies: readonly PolicyView[]
  readonly askers: readonly { readonly id: string; readonly name: string }[]
  readonly providers: readonly { readonly id: string; readonly name: string }[]
}

/** What is allowed without asking each time. */
export function PoliciesPage(): ReactNode {
  const { t } = useWords()
  const { data, error, refetch, isPending } = useCall<Policies>('/v1/me/policies')
  const made = new URLSearchParams(useSearch()).get('made')
  const newest = data?.policies.find(({ id }) => id === made)
  return (
    <Page title={t('choices.policies')} back={{ to: '/choices', label: t('choices.back') }}>
      {error === null ? null : <Trouble error={error} onAgain={() => void refetch()} />}
      {isPending ? <Waiting>{t('policies.loading')}</Waiting> : null}
      {newest === undefined ? null : <Banner tone="live" title={t('policies.made', { asker: newest.hiu.name })} />}
      {data?.policies.length === 0 ? (
        <Empty icon="check" title={t('policies.empty-title')}>
          <p>{t('policies.empty')}</p>
        </Empty>
      ) : (
        <ul className={style.list}>
          {data?.policies.toReversed().map((policy) => (
            <li key={policy.id}>
              <Policy policy={policy} />
            </li>
          ))}
        </ul>
      )}
      <div>
        <ButtonLink to="/choices/policies/new" icon="add">
          {t('policies.add')}
        </ButtonLink>
      </div>
    </Page>
  )
}

function Policy({ policy }: { readonly policy: PolicyView }): ReactNode {
  const words = useWords()
  const { t, tn, language } = words
  const dates = useDates()
  const { busyWith, error, act } = useAct()
  const prove = useStepUp()
  const [wasSwitchedOff, setSwitchedOff] = useState(false)
  const places = [...new Set(policy.sources.flatMap(({ hip }) => (hip === undefined ? [] : [hip.name])))]
  const types = [...new Set(policy.sources.flatMap(({ hiTypes }) => hiTypes))] as HiType[]
  const purposes = [...new Set(policy.sources.map(({ purpose }) => t(`purpose.${purpose}` as PatientKey)))]
  const until = policy.sources.map(({ to }) => to).reduce((a, b) => (a > b ? a : b), '')
  const list = new Intl.ListFormat(`${language}-IN`, { type: 'conjunction' })
  const switchOff = () =>
    act('disable', async () => {
      await call(`/v1/me/policies/${policy.id}/disable`, { method: 'POST' })
      setSwitchedOff(true)
    })
  const switchOn = () =>
    act('enable', async () => {
      const stepUp = await prove('policy.save', policy.id)
      if (stepUp !== undefined) await call(`/v1/me/policies/${policy.id}/enable`, { body: { stepUp } })
    })
  return (
    <article className={style.card} aria-label={policy.hiu.name}>
      <div className={style.head}>
        <b>
          <bdi>{policy.hiu.name}</bdi>
        </b>
        <State tone={policy.enabled ? 'live' : 'stopped'}>{t(policy.enabled ? 'policies.on' : 'policies.off')}</State>
      </div>
      <p>
        {t('policies.sentence', {
          asker: policy.hiu.name,
          types: sayTypes(words, types),
          purpose: list.format(purposes),
        })}
      </p>
      <p className={style.second}>
        {policy.isForAll ? t('policies.from-all') : t('policies.from', { places: list.format(places) })}
        {' · '}
        {t('policies.until', { day: dates.day(until) })}
      </p>
      {policy.exceptions === 0 ? null : <p className={style.second}>{tn('policies.exceptions', policy.exceptions)}</p>}
      {policy.isUnconfirmed ? <p>{t('policies.unconfirmed')}</p> : null}
      {error === undefined ? null : <Trouble error={error} />}
      {wasSwitchedOff && !policy.enabled ? <p role="status">{t('policies.switched-off-text')}</p> : null}
      <ButtonRow>
        {policy.enabled ? (
          <Button look="stop" isBusy={busyWith !== undefined} onClick={() => void switchOff()}>
            {t('policies.switch-off')}
          </Button>
        ) : (
          <Button isBusy={busyWith !== undefined} onClick={() => void switchOn()}>
            {t('policies.switch-on')}
          </Button>
        )}
      </ButtonRow>
    </article>
  )
}
