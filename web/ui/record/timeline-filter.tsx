import type { ReactNode } from 'react'
import { HI_TYPES, type HiType } from '../../../src/fhir/hi-type.ts'
import type { ShownDocument } from '../../../src/fhir/show.ts'
import type { Source } from '../../../src/fhir/trends.ts'
import { Button } from '../button.tsx'
import { useDates } from '../dates.ts'
import { SelectField, TextField } from '../fields.tsx'
import { searchText } from './record-summary.ts'
import { useRecordWords } from './record-words.ts'
import style from './timeline.module.css'

/** What of a timeline is shown: no kinds = all kinds; an empty place or empty words = any. */
export type Filter = { readonly kinds: readonly HiType[]; readonly place: string; readonly words: string }
export const NO_FILTER: Filter = { kinds: [], place: '', words: '' }

/** Whether a document passes: one of the kinds, the place, and each of the words somewhere in it. */
export function admits({ kinds, place, words }: Filter, document: ShownDocument): boolean {
  if (kinds.length > 0 && !kinds.some((kind) => kind === document.hiType)) return false
  if (place !== '' && document.place !== place) return false
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean)
  if (wanted.length === 0) return true
  const text = searchText(document)
  return wanted.every((word) => text.includes(word))
}

const FILTER_FROM = 4

export function TimelineFilter(props: {
  readonly sources: readonly Source<unknown>[]
  /** How many there are of each kind, where not all are among the sources. */
  readonly kinds: ReadonlyMap<HiType, number> | undefined
  readonly shown: number
  readonly filter: Filter
  readonly onChange: (filter: Filter) => void
}): ReactNode {
  const { t, tn } = useRecordWords()
  const { sources, filter, onChange } = props
  if (sources.length < FILTER_FROM) return null
  const places = [...new Set(sources.flatMap(({ document }) => document.place ?? []))].sort()
  const isOn = filter.kinds.length > 0 || filter.place !== '' || filter.words !== ''
  return (
    <div className={style.filter} role="search">
      <Kinds {...props} />
      <div className={style.fields}>
        <TextField
          label={t('record.filter-words')}
          type="search"
          value={filter.words}
          onChange={(event) => onChange({ ...filter, words: event.target.value })}
        />
        {places.length < 2 ? null : (
          <SelectField
            label={t('record.filter-place')}
            value={filter.place}
            options={[
              { value: '', label: t('common.all') },
              ...places.map((place) => ({ value: place, label: place })),
            ]}
            onChange={(event) => onChange({ ...filter, place: event.target.value })}
          />
        )}
      </div>
      <p className={style.count} role="status">
        {isOn ? tn('record.filter-count', props.shown, { of: sources.length }) : ''}
      </p>
      {isOn ? (
        <Button look="quiet" icon="cross" onClick={() => onChange(NO_FILTER)}>
          {t('record.filter-clear')}
        </Button>
      ) : null}
    </div>
  )
}

/** One button for each kind that there is, with how many; pressed ones are shown. */
function Kinds(props: Parameters<typeof TimelineFilter>[0]): ReactNode {
  const { t } = useRecordWords()
  const { number } = useDates()
  const { sources, filter, onChange } = props
  const counts = HI_TYPES.flatMap((kind) => {
    const n = props.kinds?.get(kind) ?? sources.filter(({ document }) => document.hiType === kind).length
    return n === 0 ? [] : [{ kind, n }]
  })
  if (counts.length < 2) return null
  const toggle = (kind: HiType): void => {
    const isOn = filter.kinds.includes(kind)
    onChange({ ...filter, kinds: isOn ? filter.kinds.filter((one) => one !== kind) : [...filter.kinds, kind] })
  }
  return (
    <fieldset className={style.kinds}>
      <legend>{t('record.filter-kind')}</legend>
      {counts.map(({ kind, n }) => (
        <button key={kind} type="button" aria-pressed={filter.kinds.includes(kind)} onClick={() => toggle(kind)}>
          {t(`hi-type.${kind}`)} <span>{number(n)}</span>
        </button>
      ))}
    </fieldset>
  )
}
