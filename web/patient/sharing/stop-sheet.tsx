import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import type { Stopped } from '../../../src/rights/stop-commands.ts'
import type { ConsentView, FacilityView } from '../../../src/rights/views.ts'
import { call } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import { Tick } from '../../ui/fields.tsx'
import { Sheet } from '../../ui/sheet.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import style from './sharing.module.css'
import { useTellOutcome } from './stop-outcome.tsx'

type StopProps = {
  /** Id of a receiver, a request or a consent, or `holder>receiver`. */
  readonly what: string
  readonly receiver: FacilityView
  /** What will stop. */
  readonly consents: readonly ConsentView[]
  readonly onClose: () => void
}

/**
 * What stopping means, then the one tap that does it: as easy as allowing (DPDP s.6(4)), with its consequence said before (s.6(5)). What
 * would go on by itself ends with the whole receiver, and is offered with less; that it ended is said afterwards.
 */
export function StopSheet(props: StopProps): ReactNode {
  const { t } = useWords()
  const { what, receiver, onClose } = props
  const client = useQueryClient()
  const tell = useTellOutcome()
  // One act of the person: a second try after a broken line has its effect once.
  const [key] = useState(() => crypto.randomUUID())
  const [isStandingToo, setStandingToo] = useState(true)
  const isWhole = what === receiver.id
  const stop = useMutation({
    mutationFn: (standing: boolean) =>
      call<Stopped>(`/v1/me/sharing/${encodeURIComponent(what)}/stop`, { body: { standing }, key }),
    onSuccess: async (stopped) => {
      await client.invalidateQueries()
      onClose()
      tell({ receiver, stopped })
    },
  })
  const send = () => stop.mutate(!isWhole && isStandingToo && hasStanding(receiver))
  return (
    <Sheet
      title={t('sharing.stop-with', { name: receiver.name })}
      onClose={onClose}
      actions={
        <>
          <Button look="stop" icon="stop" isBusy={stop.isPending} onClick={send}>
            {t('sharing.stop')}
          </Button>
          <Button look="quiet" onClick={onClose}>
            {t('common.cancel')}
          </Button>
        </>
      }
    >
      <Consequences {...props} isWhole={isWhole} />
      {isWhole || !hasStanding(receiver) ? null : (
        <Tick
          label={t(receiver.isAllowedBeforehand === true ? 'sharing.stop-standing-also' : 'sharing.stop-news-also')}
          checked={isStandingToo}
          disabled={!stop.isIdle}
          onChange={({ target }) => setStandingToo(target.checked)}
        />
      )}
      {stop.error === null ? null : <Trouble error={stop.error} onAgain={send} />}
    </Sheet>
  )
}

const hasStanding = ({ isAllowedBeforehand, isToldOfNews }: FacilityView): boolean =>
  isAllowedBeforehand === true || isToldOfNews === true

function Consequences(props: StopProps & { readonly isWhole: boolean }): ReactNode {
  const { t, tn, language } = useWords()
  const { receiver, consents, isWhole } = props
  const records = consents.reduce((total, consent) => total + consent.records, 0)
  const told = [...new Set([...consents.map(({ holder }) => holder.name), receiver.name])]
  const names = new Intl.ListFormat(`${language}-IN`).format(told)
  return (
    <ul className={style.consequences}>
      <li>{t(isWhole ? 'sharing.stop-now' : 'sharing.stop-part')}</li>
      {isWhole && receiver.isAllowedBeforehand === true ? <li>{t('sharing.stop-standing')}</li> : null}
      {isWhole && receiver.isToldOfNews === true ? <li>{t('sharing.stop-news')}</li> : null}
      <li>{records === 0 ? t('sharing.stop-nothing') : tn('sharing.stop-delete', records)}</li>
      <li>{t('sharing.stop-told', { names })}</li>
      <li>{t('sharing.stop-lawful')}</li>
      <li>{t('sharing.stop-later')}</li>
    </ul>
  )
}
