import { type ReactNode, useState } from 'react'
import type { HiType } from '../../../src/fhir/hi-type.ts'
import { type Template, type TemplateId, templatesOf } from '../../../src/hiu/templates.ts'
import type { FacilityPatient } from '../../../src/records/patient.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { Disclosure } from '../../ui/disclosure.tsx'
import { Choices, SelectField, Tick } from '../../ui/fields.tsx'
import { Sheet } from '../../ui/sheet.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useAct } from '../act.ts'
import type { StaffSession } from '../session.ts'
import { type DeskKey, useWords } from '../words.ts'
import style from './consents.module.css'

type Draft = {
  readonly template: Template
  readonly hiTypes: readonly HiType[]
  readonly lookBackDays: number
  readonly keepDays: number
}

const draftOf = (template: Template): Draft => ({
  template,
  hiTypes: template.hiTypes,
  lookBackDays: template.lookBackDays,
  keepDays: template.keepDays,
})

/** Choose what the records are needed for; see in one sentence what will be asked; ask, or first ask for less. */
export function AskSheet(props: {
  readonly patient: FacilityPatient
  readonly session: StaffSession
  readonly onClose: () => void
}): ReactNode {
  const { patient, session, onClose } = props
  const { t } = useWords()
  const templates = templatesOf(session.staff.role)
  const [chosen, setChosen] = useState<string>()
  const [draft, setDraft] = useState<Draft>()
  const [fault, setFault] = useState(false)
  const ask = useAct<Draft>(({ template, ...less }) => {
    return { path: '/v1/desk/consents', body: { patient: patient.reference, template: template.id, ...less } }
  }, onClose)
  const { name } = patient
  const onAsk = (): void => {
    const isEmpty = draft === undefined || draft.hiTypes.length === 0
    setFault(isEmpty)
    if (!isEmpty) ask.run(draft)
  }
  const template = templates.find(({ id }) => id === chosen)
  return (
    <Sheet
      title={t('ask.title', { name })}
      onClose={onClose}
      actions={
        <ButtonRow>
          {draft === undefined ? (
            <Button
              look="primary"
              disabled={template === undefined}
              onClick={() => template !== undefined && setDraft(draftOf(template))}
            >
              {t('ask.next')}
            </Button>
          ) : (
            <>
              <Button look="primary" isBusy={ask.isBusy} onClick={onAsk}>
                {t('ask.do', { name })}
              </Button>
              <Button onClick={() => setDraft(undefined)}>{t('ask.other')}</Button>
            </>
          )}
        </ButtonRow>
      }
    >
      {draft === undefined ? (
        <TemplateChoice templates={templates.map(({ id }) => id)} chosen={chosen} onChoose={setChosen} />
      ) : (
        <>
          <Sentence draft={draft} who={session.staff.name} name={name} />
          <Less draft={draft} onChange={setDraft} fault={fault} />
        </>
      )}
      {ask.error === null ? null : <Trouble error={ask.error} />}
    </Sheet>
  )
}

function TemplateChoice(props: {
  readonly templates: readonly TemplateId[]
  readonly chosen: string | undefined
  readonly onChoose: (id: string) => void
}): ReactNode {
  const { t } = useWords()
  return (
    <Choices legend={t('ask.choose')}>
      {props.templates.map((id) => (
        <Tick
          key={id}
          kind="radio"
          name="template"
          label={t(`template.${id}`)}
          detail={t(`template.${id}-why`)}
          checked={props.chosen === id}
          onChange={() => props.onChoose(id)}
        />
      ))}
    </Choices>
  )
}

const YEAR_DAYS = 365

/** A stretch of days as people say it: whole years where it is years. */
function useStretch(): (
  key: 'ask.period' | 'ask.days',
  years: 'ask.period-years' | 'ask.years',
  days: number,
) => string {
  const { tn } = useWords()
  return (key, years, days) => (days % YEAR_DAYS === 0 ? tn(years, days / YEAR_DAYS) : tn(key, days))
}

function Sentence(props: { readonly draft: Draft; readonly who: string; readonly name: string }): ReactNode {
  const { draft, who, name } = props
  const { t, tn, language } = useWords()
  const stretch = useStretch()
  const types = new Intl.ListFormat(`${language}-IN`, { type: 'conjunction' }).format(
    draft.hiTypes.map((type) => t(`hi-type.${type}`)),
  )
  return (
    <div className={style.sentence}>
      <p className={style.quiet}>{t('ask.check', { name })}</p>
      <p aria-live="polite">
        {t('ask.sentence', {
          who,
          name,
          types,
          period: stretch('ask.period', 'ask.period-years', draft.lookBackDays),
          purpose: t(`purpose.${draft.template.purpose}` as DeskKey),
          keep: tn('ask.keep', draft.keepDays),
        })}
      </p>
    </div>
  )
}

/** Shorter stretches to choose from; the template's own is the longest. */
const shorter = (days: number, steps: readonly number[]): readonly number[] => [
  ...steps.filter((step) => step < days),
  days,
]
const LOOK_BACK_STEPS = [30, 90, 180, YEAR_DAYS, 2 * YEAR_DAYS, 3 * YEAR_DAYS, 5 * YEAR_DAYS, 10 * YEAR_DAYS]
const KEEP_STEPS = [1, 3, 7, 14, 30, 90]

function Less(props: {
  readonly draft: Draft
  readonly onChange: (draft: Draft) => void
  readonly fault: boolean
}): ReactNode {
  const { draft, onChange } = props
  const { t, tn } = useWords()
  const stretch = useStretch()
  const turn = (type: HiType): void => {
    const kept = draft.template.hiTypes.filter((each) => (each === type) !== draft.hiTypes.includes(each))
    onChange({ ...draft, hiTypes: kept })
  }
  return (
    <Disclosure label={t('ask.less')} summary={t('ask.less-summary')}>
      <Choices legend={t('ask.types')}>
        {draft.template.hiTypes.map((type) => (
          <Tick
            key={type}
            label={t(`hi-type.${type}`)}
            checked={draft.hiTypes.includes(type)}
            onChange={() => turn(type)}
          />
        ))}
      </Choices>
      {props.fault ? <p role="alert">{t('ask.one-type')}</p> : null}
      <SelectField
        label={t('ask.look-back')}
        value={String(draft.lookBackDays)}
        onChange={(event) => onChange({ ...draft, lookBackDays: Number(event.target.value) })}
        options={shorter(draft.template.lookBackDays, LOOK_BACK_STEPS).map((days) => ({
          value: String(days),
          label: stretch('ask.days', 'ask.years', days),
        }))}
      />
      <SelectField
        label={t('ask.keep-for')}
        value={String(draft.keepDays)}
        onChange={(event) => onChange({ ...draft, keepDays: Number(event.target.value) })}
        options={shorter(draft.template.keepDays, KEEP_STEPS).map((days) => ({
          value: String(days),
          label: tn('ask.days', days),
        }))}
      />
    </Disclosure>
  )
}
