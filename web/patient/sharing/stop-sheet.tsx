import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import type { ConsentView, FacilityView } from '../../../src/rights/views.ts'
import { call } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import { Sheet } from '../../ui/sheet.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import style from './sharing.module.css'

/** What stopping means, then the one tap that does it: as easy as allowing (DPDP s.6(4)), with its consequence said before (s.6(5)). */
export function StopSheet(props: {
  /** Id of a receiver, a request or a consent. */
  readonly what: string
  readonly receiver: FacilityView
  /** What will stop. */
  readonly consents: readonly ConsentView[]
  readonly onClose: () => void
}): ReactNode {
  const { t, tn, language } = useWords()
  const { what, receiver, consents, onClose } = props
  const client = useQueryClient()
  // One act of the person: a second try after a broken line has its effect once.
  const [key] = useState(() => crypto.randomUUID())
  const stop = useMutation({
    mutationFn: () => call(`/v1/me/sharing/${encodeURIComponent(what)}/stop`, { body: {}, key }),
    onSuccess: async () => {
      await client.invalidateQueries()
      onClose()
    },
  })
  const records = consents.reduce((total, consent) => total + consent.records, 0)
  const told = [...new Set([...consents.map(({ holder }) => holder.name), receiver.name])]
  const names = new Intl.ListFormat(`${language}-IN`).format(told)
  return (
    <Sheet
      title={t('sharing.stop-with', { name: receiver.name })}
      onClose={onClose}
      actions={
        <>
          <Button look="stop" icon="stop" isBusy={stop.isPending} onClick={() => stop.mutate()}>
            {t('sharing.stop')}
          </Button>
          <Button look="quiet" onClick={onClose}>
            {t('common.cancel')}
          </Button>
        </>
      }
    >
      <ul className={style.consequences}>
        <li>{t('sharing.stop-now')}</li>
        <li>{records === 0 ? t('sharing.stop-nothing') : tn('sharing.stop-delete', records)}</li>
        <li>{t('sharing.stop-told', { names })}</li>
        <li>{t('sharing.stop-lawful')}</li>
        <li>{t('sharing.stop-later')}</li>
      </ul>
      {stop.error === null ? null : <Trouble error={stop.error} onAgain={() => stop.mutate()} />}
    </Sheet>
  )
}
