import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { call } from '../../ui/api.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Part } from '../../ui/page.tsx'
import { type AskedPasskey, hasPasskeys, isGivenUp, isThereAlready, makePasskey } from '../../ui/passkey.ts'
import { useCall } from '../../ui/query.tsx'
import { Sheet } from '../../ui/sheet.tsx'
import { Banner } from '../../ui/state.tsx'
import { useStepUp } from '../../ui/step-up.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import style from './staff.module.css'

type Passkey = { readonly id: string; readonly name: string; readonly addedAt: string; readonly usedAt?: string }

/** Her passkeys: adding one on this device, removing one. */
export function PasskeysPart(props: { readonly staff: string }): ReactNode {
  const { t } = useWords()
  const prove = useStepUp()
  const client = useQueryClient()
  const { data: passkeys, error } = useCall<readonly Passkey[]>('/v1/desk/me/passkeys')
  const [isBusy, setIsBusy] = useState(false)
  const [isAdded, setIsAdded] = useState(false)
  const [isThere, setIsThere] = useState(false)
  const [problem, setProblem] = useState<unknown>()
  const [leaving, setLeaving] = useState<Passkey>()
  const add = async (): Promise<void> => {
    setIsAdded(false)
    setIsThere(false)
    setProblem(undefined)
    const stepUp = await prove('passkey.add', props.staff)
    if (stepUp === undefined) return
    setIsBusy(true)
    try {
      type Asked = AskedPasskey<Parameters<typeof makePasskey>[0]>
      const asked = await call<Asked>('/v1/desk/me/passkeys/options', { body: { stepUp } })
      const attestation = await makePasskey(asked.options)
      await call('/v1/desk/me/passkeys', {
        body: { challenge: asked.id, name: t('staff.passkey-this'), attestation },
      })
      setIsAdded(true)
      await client.invalidateQueries()
    } catch (fault) {
      if (isThereAlready(fault)) setIsThere(true)
      else if (!isGivenUp(fault)) setProblem(fault)
    } finally {
      setIsBusy(false)
    }
  }
  return (
    <Part title={t('staff.passkeys')}>
      <p>{t('staff.passkeys-text')}</p>
      {error === null ? null : <Trouble error={error} />}
      {problem === undefined ? null : <Trouble error={problem} />}
      {isThere ? <Banner tone="calm" title={t('staff.passkey-there')} /> : null}
      {isAdded ? <Banner tone="live" title={t('staff.passkey-added')} /> : null}
      {passkeys === undefined ? null : passkeys.length === 0 ? (
        <p>{t('staff.passkeys-none')}</p>
      ) : (
        <ul className={style.list}>
          {passkeys.map((passkey) => (
            <PasskeyRow key={passkey.id} passkey={passkey} onRemove={() => setLeaving(passkey)} />
          ))}
        </ul>
      )}
      {hasPasskeys() ? (
        <ButtonRow>
          <Button icon="key" isBusy={isBusy} onClick={() => void add()}>
            {t('staff.passkey-add')}
          </Button>
        </ButtonRow>
      ) : (
        <p>{t('staff.passkeys-elsewhere')}</p>
      )}
      {leaving === undefined ? null : <RemoveSheet passkey={leaving} onClose={() => setLeaving(undefined)} />}
    </Part>
  )
}

function PasskeyRow(props: { readonly passkey: Passkey; readonly onRemove: () => void }): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const { name, addedAt, usedAt } = props.passkey
  const added = dates.day(addedAt)
  return (
    <li>
      <div>
        <bdi>{name}</bdi>
        <small>
          {usedAt === undefined
            ? t('staff.passkey-unused', { added })
            : t('staff.passkey-used', { added, used: dates.moment(usedAt) })}
        </small>
      </div>
      <Button look="quiet" icon="cross" onClick={props.onRemove}>
        {t('staff.passkey-remove')}
      </Button>
    </li>
  )
}

function RemoveSheet(props: { readonly passkey: Passkey; readonly onClose: () => void }): ReactNode {
  const { t } = useWords()
  const client = useQueryClient()
  const [isBusy, setIsBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>()
  const remove = async (): Promise<void> => {
    setIsBusy(true)
    try {
      await call(`/v1/desk/me/passkeys/${encodeURIComponent(props.passkey.id)}`, { method: 'DELETE' })
      await client.invalidateQueries()
      props.onClose()
    } catch (error) {
      setIsBusy(false)
      setProblem(error)
    }
  }
  return (
    <Sheet
      title={t('staff.passkey-remove-title')}
      onClose={props.onClose}
      actions={
        <Button look="stop" isBusy={isBusy} onClick={() => void remove()}>
          {t('staff.passkey-remove-now')}
        </Button>
      }
    >
      <p>{t('staff.passkey-remove-text', { name: props.passkey.name })}</p>
      {problem === undefined ? null : <Trouble error={problem} says={{ 'staff/not-now': t('staff.passkey-last') }} />}
    </Sheet>
  )
}
