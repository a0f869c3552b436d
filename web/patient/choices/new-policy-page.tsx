import { type FormEvent, type ReactNode, useState } from 'react'
import { useLocation, useSearch } from 'wouter'
import { HI_TYPES, type HiType } from '../../../src/fhir/hi-type.ts'
import type { PolicyView } from '../../../src/native/me-policy-routes.ts'
import { PURPOSES, type PurposeCode } from '../../../src/policy/purpose.ts'
import { call } from '../../ui/api.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Choices, Tick } from '../../ui/fields.tsx'
import { Facts, Page } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { Empty, Waiting } from '../../ui/state.tsx'
import { useStepUp } from '../../ui/step-up.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { sayTypes } from '../inbox/sentences.ts'
import { useWords } from '../words.ts'
import style from './choices.module.css'
import type { Policies } from './policies-page.tsx'
import { useAct } from './use-act.ts'

const STEPS = ['whom', 'why', 'what', 'where', 'until', 'check'] as const
type Step = (typeof STEPS)[number]

/** Nothing is chosen beforehand. */
type Draft = {
  readonly hiu: string | undefined
  readonly purpose: PurposeCode | undefined
  readonly hiTypes: readonly HiType[]
  readonly where: 'all' | 'some' | undefined
  readonly hips: readonly string[]
  /** Months from now. */
  readonly months: number | undefined
}
const EMPTY: Draft = { hiu: undefined, purpose: undefined, hiTypes: [], where: undefined, hips: [], months: undefined }
const SPANS = [
  ['policy.until-half', 6],
  ['policy.until-year', 12],
  ['policy.until-two', 24],
] as const
/** Emergencies have their own way, and one's own copy is one's own. */
const REASONS = (Object.keys(PURPOSES) as PurposeCode[]).filter((code) => code !== 'BTG')

function isAnswered(step: Step, draft: Draft): boolean {
  switch (step) {
    case 'whom':
      return draft.hiu !== undefined
    case 'why':
      return draft.purpose !== undefined
    case 'what':
      return draft.hiTypes.length > 0
    case 'where':
      return draft.where === 'all' || (draft.where === 'some' && draft.hips.length > 0)
    case 'until':
      return draft.months !== undefined
    case 'check':
      return true
  }
}

/** A standing approval, one question after the other; the step stands in the address, so that the back button takes one step back. */
export function NewPolicyPage(): ReactNode {
  const { t } = useWords()
  const { data, error, refetch } = useCall<Policies>('/v1/me/policies')
  const [draft, setDraft] = useState(EMPTY)
  const asked = new URLSearchParams(useSearch()).get('step')
  const wanted = STEPS.find((step) => step === asked) ?? 'whom'
  // An address from yesterday begins where an answer is missing.
  const missing = STEPS.find((step) => !isAnswered(step, draft)) ?? 'check'
  const step = STEPS.indexOf(wanted) > STEPS.indexOf(missing) ? missing : wanted
  const back = { to: '/choices/policies', label: t('policy.back') }
  if (data === undefined)
    return (
      <Page title={t('policy.title')} back={back}>
        {error === null ? (
          <Waiting>{t('policies.loading')}</Waiting>
        ) : (
          <Trouble error={error} onAgain={() => void refetch()} />
        )}
      </Page>
    )
  if (data.askers.length === 0)
    return (
      <Page title={t('policy.title')} back={back}>
        <Empty icon="inbox" title={t('policy.nobody-title')}>
          <p>{t('policy.nobody')}</p>
        </Empty>
      </Page>
    )
  const props = { data, draft, onChange: setDraft }
  return (
    <Page key={step} title={t(`policy.${step}`)} above={t('policy.title')} back={back}>
      {step === 'check' ? <Check {...props} /> : <Question key={step} step={step} {...props} />}
    </Page>
  )
}

type Props = {
  readonly data: Policies
  readonly draft: Draft
  readonly onChange: (draft: Draft) => void
}

function Question(props: Props & { readonly step: Exclude<Step, 'check'> }): ReactNode {
  const { t } = useWords()
  const [, navigate] = useLocation()
  const [isMissing, setMissing] = useState(false)
  const { step, draft } = props
  const at = STEPS.indexOf(step)
  const next = (event: FormEvent): void => {
    event.preventDefault()
    if (isAnswered(step, draft)) navigate(`/choices/policies/new?step=${STEPS[at + 1] ?? 'check'}`)
    else setMissing(true)
  }
  return (
    <form className={style.list} onSubmit={next} noValidate>
      {isMissing && !isAnswered(step, draft) ? (
        <p className={style.fault} role="alert">
          {t('policy.choose-one')}
        </p>
      ) : null}
      <Choices legend={<span className="visually-hidden">{t(`policy.${step}`)}</span>}>
        <Answers {...props} />
      </Choices>
      <ButtonRow>
        <Button look="primary" type="submit">
          {t('policy.next')}
        </Button>
        {at === 0 ? null : <Button onClick={() => window.history.back()}>{t('policy.previous')}</Button>}
      </ButtonRow>
    </form>
  )
}

const toggled = <T,>(list: readonly T[], each: T, isIn: boolean): readonly T[] =>
  isIn ? [...list, each] : list.filter((other) => other !== each)

function Answers({ step, data, draft, onChange }: Parameters<typeof Question>[0]): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const radio = (
    key: string,
    label: ReactNode,
    isChosen: boolean,
    chosen: Partial<Draft>,
    detail?: string,
  ): ReactNode => (
    <Tick
      key={key}
      kind="radio"
      name={step}
      label={label}
      {...(detail === undefined ? {} : { detail })}
      checked={isChosen}
      onChange={() => onChange({ ...draft, ...chosen })}
    />
  )
  switch (step) {
    case 'whom':
      return data.askers.map(({ id, name }) => radio(id, <bdi>{name}</bdi>, draft.hiu === id, { hiu: id }))
    case 'why':
      return REASONS.map((code) => radio(code, t(`purpose.${code}`), draft.purpose === code, { purpose: code }))
    case 'what':
      return HI_TYPES.map((type) => (
        <Tick
          key={type}
          label={t(`hi-type.${type}`)}
          checked={draft.hiTypes.includes(type)}
          onChange={({ target }) => onChange({ ...draft, hiTypes: toggled(draft.hiTypes, type, target.checked) })}
        />
      ))
    case 'where':
      return (
        <>
          {radio('all', t('policy.where-all'), draft.where === 'all', { where: 'all' }, t('policy.where-all-text'))}
          {data.providers.length === 0
            ? null
            : radio('some', t('policy.where-some'), draft.where === 'some', { where: 'some' })}
          {draft.where === 'some'
            ? data.providers.map(({ id, name }) => (
                <Tick
                  key={id}
                  label={<bdi>{name}</bdi>}
                  checked={draft.hips.includes(id)}
                  onChange={({ target }) => onChange({ ...draft, hips: toggled(draft.hips, id, target.checked) })}
                />
              ))
            : null}
        </>
      )
    case 'until':
      return SPANS.map(([key, months]) =>
        radio(key, t(key, { day: dates.day(inMonths(months)) }), draft.months === months, { months }),
      )
  }
}

function inMonths(months: number): Date {
  const at = new Date()
  at.setMonth(at.getMonth() + months)
  return at
}

/** What was chosen, in one sight, with the consequence; then the proof. */
function Check({ data, draft }: Props): ReactNode {
  const words = useWords()
  const { t, language } = words
  const dates = useDates()
  const prove = useStepUp()
  const [, navigate] = useLocation()
  const { busyWith, error, act } = useAct()
  const { hiu, purpose, months } = draft
  const [until] = useState(() => inMonths(months ?? 0))
  const asker = data.askers.find(({ id }) => id === hiu)?.name ?? ''
  const list = new Intl.ListFormat(`${language}-IN`, { type: 'conjunction' })
  const places = data.providers.filter(({ id }) => draft.hips.includes(id)).map(({ name }) => name)
  const save = () =>
    act('save', async () => {
      const stepUp = hiu === undefined ? undefined : await prove('policy.save', hiu)
      if (stepUp === undefined) return
      const period = { from: '1900-01-01T00:00:00.000Z', to: until.toISOString() }
      const hips = draft.where === 'some' ? { hips: draft.hips } : {}
      const body = { stepUp, hiu, purpose, hiTypes: draft.hiTypes, period, ...hips }
      const made = await call<PolicyView>('/v1/me/policies', { body })
      navigate(`/choices/policies?made=${made.id}`, { replace: true })
    })
  return (
    <>
      <p>{t('policy.check-text', { asker })}</p>
      <Facts
        rows={[
          [t('policy.check-whom'), <bdi key="whom">{asker}</bdi>],
          [t('policy.check-why'), purpose === undefined ? '' : t(`purpose.${purpose}`)],
          [t('policy.check-what'), sayTypes(words, draft.hiTypes)],
          [t('policy.check-where'), draft.where === 'all' ? t('policy.everywhere') : list.format(places)],
          [t('policy.check-until'), dates.day(until)],
        ]}
      />
      {error === undefined ? null : <Trouble error={error} />}
      <ButtonRow>
        <Button look="primary" isBusy={busyWith !== undefined} onClick={() => void save()}>
          {t('policy.save')}
        </Button>
        <Button onClick={() => window.history.back()}>{t('policy.previous')}</Button>
      </ButtonRow>
    </>
  )
}
