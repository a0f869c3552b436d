import { type ReactNode, useDeferredValue, useState } from 'react'
import type { Hospital, HospitalsView } from '../../../src/native/me-linking-routes.ts'
import { TextField } from '../../ui/fields.tsx'
import { Icon } from '../../ui/icon.tsx'
import { More, usePages } from '../../ui/pages.tsx'
import { Empty, State, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import style from './records.module.css'

/** Hospitals and laboratories of the network, searched by name. */
export function HospitalList(props: { readonly onChoose: (hospital: Hospital) => void }): ReactNode {
  const { t } = useWords()
  const [search, setSearch] = useState('')
  const wanted = useDeferredValue(search.trim())
  const hospitals = usePages<HospitalsView>('/v1/me/hospitals', 'after', { search: wanted })
  const items = hospitals.data?.pages.flatMap((page) => page.items)
  return (
    <div className={style.form}>
      <TextField
        label={t('records.link-search')}
        type="search"
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      {hospitals.error === null || hospitals.isFetchNextPageError ? null : (
        <Trouble error={hospitals.error} onAgain={() => void hospitals.refetch()} />
      )}
      {hospitals.isPending ? <Waiting>{t('records.link-loading')}</Waiting> : null}
      {items?.length === 0 ? (
        <Empty icon="search" title={t('records.link-none')}>
          <p>{t('records.link-none-text')}</p>
        </Empty>
      ) : null}
      {items === undefined || items.length === 0 ? null : (
        <ul className={style.hospitals}>
          {items.map((hospital) => (
            <li key={hospital.id}>
              <button type="button" className={style.hospital} onClick={() => props.onChoose(hospital)}>
                <span>
                  <b>
                    <bdi>{hospital.name}</bdi>
                  </b>
                  {hospital.isLinked ? <State tone="live">{t('records.link-linked')}</State> : null}
                </span>
                <Icon name="next" />
              </button>
            </li>
          ))}
        </ul>
      )}
      <More pages={hospitals} />
    </div>
  )
}
