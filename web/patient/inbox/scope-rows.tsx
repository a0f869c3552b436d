import type { ReactNode } from 'react'
import type { HiType } from '../../../src/fhir/hi-type.ts'
import type { ProviderView, RequestView } from '../../../src/native/me-request-view.ts'
import { ButtonLink } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Disclosure } from '../../ui/disclosure.tsx'
import { Choices, Tick } from '../../ui/fields.tsx'
import { useWords } from '../words.ts'
import { type Choice, chosenOf, countOfType, isWithin, keyOf } from './choice.ts'
import style from './inbox.module.css'

export type RowProps = {
  readonly request: RequestView
  readonly choice: Choice
  readonly onChange: (choice: Choice) => void
}

/** Rows of one group open one at a time. */
export const ROWS = 'request-rows'

const toggled = <T,>(list: readonly T[], each: T, isIn: boolean): readonly T[] =>
  isIn ? [...list.filter((other) => other !== each), each] : list.filter((other) => other !== each)

/** Kinds of records, with how many exist: only those that were asked for. */
export function WhatRow({ request, choice, onChange }: RowProps): ReactNode {
  const { t } = useWords()
  const isAll = choice.types.length === request.hiTypes.length
  const summary = isAll
    ? t('request.what-all')
    : t('request.what-some', { n: choice.types.length, all: request.hiTypes.length })
  const change = (type: HiType, isIn: boolean): void => {
    const types = toggled(choice.types, type, isIn)
    onChange({ ...choice, types: request.hiTypes.filter((each) => types.includes(each)) })
  }
  return (
    <Disclosure label={t('request.what')} summary={summary} group={ROWS}>
      <Choices legend={t('request.what-hint')}>
        {request.hiTypes.map((type) => {
          const count = countOfType(request, choice, type)
          return (
            <Tick
              key={type}
              label={t('common.counted', { what: t(`hi-type.${type}`), n: count })}
              {...(count === 0 ? { detail: t('request.type-none') } : {})}
              checked={choice.types.includes(type)}
              onChange={(event) => change(type, event.target.checked)}
            />
          )
        })}
      </Choices>
    </Disclosure>
  )
}

/** Her hospitals and laboratories, down to single visits. */
export function WhereRow({ request, choice, onChange }: RowProps): ReactNode {
  const { t, tn } = useWords()
  const places = request.providers.filter((provider) => chosenOf(provider, choice).length > 0)
  return (
    <Disclosure label={t('request.where')} summary={tn('request.where-value', places.length)} group={ROWS}>
      {request.providers.length === 0 ? (
        <>
          <p>{t('request.where-none')}</p>
          <div>
            <ButtonLink to="/records/link" icon="add">
              {t('request.where-link')}
            </ButtonLink>
          </div>
        </>
      ) : (
        request.providers.map((provider) => (
          <Provider key={provider.id} provider={provider} choice={choice} onChange={onChange} />
        ))
      )}
    </Disclosure>
  )
}

function Provider(props: {
  readonly provider: ProviderView
  readonly choice: Choice
  readonly onChange: (choice: Choice) => void
}): ReactNode {
  const { t } = useWords()
  const { provider, choice, onChange } = props
  const possible = provider.contexts.filter((context) => isWithin(context, choice))
  const chosen = chosenOf(provider, choice)
  const change = (isIn: boolean): void => {
    const keys = provider.contexts.map((context) => keyOf(provider, context))
    const others = choice.leftOut.filter((key) => !keys.includes(key))
    onChange({ ...choice, leftOut: isIn ? others : [...others, ...keys] })
  }
  const count = t('request.where-count', { n: chosen.length, all: possible.length })
  return (
    <div className={style.place}>
      <Tick
        label={<bdi>{provider.name}</bdi>}
        detail={provider.isActive ? count : t('request.where-inactive')}
        checked={chosen.length > 0}
        disabled={!provider.isActive || possible.length === 0}
        onChange={(event) => change(event.target.checked)}
      />
      {provider.isActive && possible.length > 0 ? (
        <details className={style.single}>
          <summary>{t('request.where-single')}</summary>
          <Visits {...props} />
        </details>
      ) : null}
    </div>
  )
}

function Visits(props: {
  readonly provider: ProviderView
  readonly choice: Choice
  readonly onChange: (choice: Choice) => void
}): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const { provider, choice, onChange } = props
  return (
    <ul className={style.visits}>
      {provider.contexts
        .filter((context) => isWithin(context, choice))
        .map((context) => {
          const key = keyOf(provider, context)
          return (
            <li key={key}>
              <Tick
                label={<bdi>{context.display}</bdi>}
                detail={context.day === undefined ? t('request.where-day-unknown') : dates.day(context.day)}
                checked={!choice.leftOut.includes(key)}
                onChange={(event) =>
                  onChange({ ...choice, leftOut: toggled(choice.leftOut, key, !event.target.checked) })
                }
              />
            </li>
          )
        })}
    </ul>
  )
}
