import { useMutation } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import type { Group } from '../../../src/linking/care-context.ts'
import { call, type Problem } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import { Choices, Tick } from '../../ui/fields.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import style from './records.module.css'

type Found = {
  readonly patientReference: string
  readonly careContextReference: string
  readonly hiType: Group['hiType']
}
const keyOf = (one: Found): string => JSON.stringify([one.patientReference, one.careContextReference, one.hiType])

/** What the hospital found, to choose from; it then sends its code. */
export function ChooseFound(props: {
  readonly name: string
  readonly linking: string
  readonly found: readonly Group[]
  readonly onChosen: () => void
}): ReactNode {
  const { t } = useWords()
  const rows = props.found.flatMap((group) =>
    group.careContexts.map((context) => ({
      display: context.display === '' ? context.referenceNumber : context.display,
      one: {
        patientReference: group.referenceNumber,
        careContextReference: context.referenceNumber,
        hiType: group.hiType,
      },
    })),
  )
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set())
  const chosen = rows.map(({ one }) => one).filter((one) => !left.has(keyOf(one)))
  const choose = useMutation<unknown, Problem>({
    mutationFn: () => call(`/v1/me/linking/${props.linking}/choose`, { body: { chosen } }),
    onSuccess: props.onChosen,
  })
  const toggle = (key: string): void => {
    const next = new Set(left)
    if (!next.delete(key)) next.add(key)
    setLeft(next)
  }
  return (
    <form
      className={style.form}
      onSubmit={(event) => {
        event.preventDefault()
        if (chosen.length > 0 && !choose.isPending) choose.mutate()
      }}
    >
      <p>{t('records.link-found-text')}</p>
      <Choices legend={t('records.link-found-legend', { name: props.name })}>
        {rows.map(({ one, display }) => (
          <Tick
            key={keyOf(one)}
            label={<bdi>{display}</bdi>}
            detail={t(`hi-type.${one.hiType}`)}
            checked={!left.has(keyOf(one))}
            onChange={() => toggle(keyOf(one))}
          />
        ))}
      </Choices>
      {chosen.length === 0 ? <p role="alert">{t('records.link-none-chosen')}</p> : null}
      {choose.error === null ? null : <Trouble error={choose.error} />}
      <Button type="submit" look="primary" isWide isBusy={choose.isPending}>
        {t('records.link-chosen')}
      </Button>
    </form>
  )
}
