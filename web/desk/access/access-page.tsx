import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { useLocation, useSearch } from 'wouter'
import { Button } from '../../ui/button.tsx'
import { Page } from '../../ui/page.tsx'
import { useWords } from '../words.ts'
import style from './access.module.css'
import { FileSheet } from './file-sheet.tsx'
import { Filters } from './filters.tsx'
import { LookList, OpeningList } from './lists.tsx'
import { ACCESS_PATH, addressOf, wantedOf } from './model.ts'

/** Who of this facility looked at what: for the data protection officer, who reads who read, and nothing of what was read. */
export function AccessPage(): ReactNode {
  const { t } = useWords()
  const [, go] = useLocation()
  const client = useQueryClient()
  const wanted = wantedOf(useSearch())
  const [isSaving, setIsSaving] = useState(false)
  const address = addressOf(wanted)
  return (
    <Page
      title={t('access.title')}
      {...(wanted.patient === ''
        ? {}
        : { back: { to: addressOf({ ...wanted, patient: '' }), label: t('access.back') } })}
      actions={
        <Button icon="download" aria-haspopup="dialog" onClick={() => setIsSaving(true)}>
          {t('access.save')}
        </Button>
      }
    >
      <Filters
        key={address}
        wanted={wanted}
        onShow={(next) => {
          // The same once more is asked once more.
          if (addressOf(next) === address) void client.resetQueries({ queryKey: [ACCESS_PATH] })
          go(addressOf(next))
        }}
      />
      {wanted.patient === '' ? <OpeningList wanted={wanted} /> : <LookList wanted={wanted} />}
      <p className={style.note}>{t('access.asked')}</p>
      {isSaving ? <FileSheet wanted={wanted} onClose={() => setIsSaving(false)} /> : null}
    </Page>
  )
}
