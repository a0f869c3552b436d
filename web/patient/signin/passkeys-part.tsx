import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { call, Problem } from '../../ui/api.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { TextField } from '../../ui/fields.tsx'
import { Card, Part } from '../../ui/page.tsx'
import { hasPasskeys, isGivenUp, isThereAlready } from '../../ui/passkey.ts'
import { useCall } from '../../ui/query.tsx'
import { Sheet } from '../../ui/sheet.tsx'
import { Banner, Waiting } from '../../ui/state.tsx'
import { useStepUp } from '../../ui/step-up.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { usePatientSession } from '../session.ts'
import { useWords } from '../words.ts'
import { useNow } from './countdown.ts'
import { deviceName } from './device.ts'
import { addPasskey } from './passkey.ts'
import style from './signin.module.css'

type Passkey = { readonly id: string; readonly name: string; readonly addedAt: string; readonly usedAt?: string }
type Changing = { readonly passkey: Passkey; readonly how: 'rename' | 'remove' }

/** The person's passkeys: add one on this device, rename, remove. */
export function PasskeysPart(): ReactNode {
  const { t } = useWords()
  const { data: passkeys, error, refetch } = useCall<readonly Passkey[]>('/v1/me/passkeys')
  const [changing, setChanging] = useState<Changing>()
  return (
    <Part title={t('signin.passkeys')}>
      <p>{t('signin.passkeys-text')}</p>
      {error === null ? null : <Trouble error={error} onAgain={() => void refetch()} />}
      {passkeys === undefined ? (
        error === null && <Waiting>{t('common.loading')}</Waiting>
      ) : (
        <Card>
          {passkeys.length === 0 ? <p>{t('signin.passkeys-none')}</p> : null}
          <ul className={style.list}>
            {passkeys.map((passkey) => (
              <PasskeyRow key={passkey.id} passkey={passkey} onChange={setChanging} />
            ))}
          </ul>
          <AddPasskey />
        </Card>
      )}
      {changing?.how === 'rename' ? <RenameSheet {...changing} onClose={() => setChanging(undefined)} /> : null}
      {changing?.how === 'remove' ? <RemoveSheet {...changing} onClose={() => setChanging(undefined)} /> : null}
    </Part>
  )
}

function PasskeyRow(props: { readonly passkey: Passkey; readonly onChange: (changing: Changing) => void }): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const now = useNow()
  const { passkey, onChange } = props
  const added = dates.day(passkey.addedAt)
  return (
    <li className={style.row}>
      <div>
        <b>
          <bdi>{passkey.name}</bdi>
        </b>
        <small>
          {passkey.usedAt === undefined
            ? t('signin.passkey-unused', { added })
            : t('signin.passkey-used', { added, used: dates.relative(passkey.usedAt, new Date(now)) })}
        </small>
      </div>
      <ButtonRow>
        <Button onClick={() => onChange({ passkey, how: 'rename' })}>
          {t('signin.passkey-rename')}
          <span className="visually-hidden">: {passkey.name}</span>
        </Button>
        <Button look="stop" onClick={() => onChange({ passkey, how: 'remove' })}>
          {t('signin.passkey-remove')}
          <span className="visually-hidden">: {passkey.name}</span>
        </Button>
      </ButtonRow>
    </li>
  )
}

function AddPasskey(): ReactNode {
  const { t } = useWords()
  const client = useQueryClient()
  const prove = useStepUp()
  const { session } = usePatientSession()
  const [isBusy, setIsBusy] = useState(false)
  const [isAdded, setIsAdded] = useState(false)
  const [trouble, setTrouble] = useState<unknown>()
  if (!hasPasskeys()) return <p>{t('signin.passkeys-elsewhere')}</p>
  const name = deviceName(navigator.userAgent) ?? t('signin.this-device')
  /** Who signed in a moment ago need not prove it again: the server says when it wants to know. */
  const addProved = async (): Promise<boolean> => {
    try {
      await addPasskey(name, undefined)
      return true
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'auth/step-up-needed') throw error
    }
    const stepUp = await prove('passkey.add', session?.patient.abhaAddress ?? '')
    if (stepUp === undefined) return false
    await addPasskey(name, stepUp)
    return true
  }
  const add = async (): Promise<void> => {
    setIsBusy(true)
    setIsAdded(false)
    setTrouble(undefined)
    try {
      setIsAdded(await addProved())
      await client.invalidateQueries()
    } catch (error) {
      if (!isGivenUp(error)) setTrouble(error)
    }
    setIsBusy(false)
  }
  return (
    <>
      {trouble === undefined ? null : isThereAlready(trouble) ? (
        <Banner tone="calm" title={t('signin.passkey-here-already')} />
      ) : (
        <Trouble error={trouble} />
      )}
      {isAdded ? <Banner tone="live" title={t('signin.passkey-added')} /> : null}
      <div>
        <Button icon="add" isBusy={isBusy} onClick={() => void add()}>
          {t('signin.passkey-add')}
        </Button>
      </div>
    </>
  )
}

type SheetProps = { readonly passkey: Passkey; readonly onClose: () => void }

function useChange(options: { readonly method: 'PATCH' | 'DELETE'; readonly passkey: Passkey; onClose: () => void }) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: object | undefined) =>
      call(`/v1/me/passkeys/${options.passkey.id}`, {
        method: options.method,
        ...(body === undefined ? {} : { body }),
      }),
    onSuccess: async () => {
      await client.invalidateQueries()
      options.onClose()
    },
  })
}

function RenameSheet({ passkey, onClose }: SheetProps): ReactNode {
  const { t } = useWords()
  const [name, setName] = useState(passkey.name)
  const change = useChange({ method: 'PATCH', passkey, onClose })
  return (
    <Sheet title={t('signin.passkey-rename-title')} onClose={onClose}>
      <form
        className={style.form}
        onSubmit={(event) => {
          event.preventDefault()
          if (name.trim() !== '') change.mutate({ name })
        }}
      >
        {change.error === null ? null : <Trouble error={change.error} />}
        <TextField
          label={t('signin.passkey-name')}
          value={name}
          maxLength={60}
          required
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <div>
          <Button type="submit" look="primary" isBusy={change.isPending}>
            {t('common.save')}
          </Button>
        </div>
      </form>
    </Sheet>
  )
}

function RemoveSheet({ passkey, onClose }: SheetProps): ReactNode {
  const { t, rich } = useWords()
  const change = useChange({ method: 'DELETE', passkey, onClose })
  return (
    <Sheet
      title={t('signin.passkey-remove-title')}
      onClose={onClose}
      actions={
        <>
          <Button look="stop" isBusy={change.isPending} onClick={() => change.mutate(undefined)}>
            {t('signin.passkey-remove-now')}
          </Button>
          <Button onClick={onClose}>{t('common.cancel')}</Button>
        </>
      }
    >
      {change.error === null ? null : <Trouble error={change.error} />}
      <p>{rich('signin.passkey-remove-text', { name: passkey.name })}</p>
    </Sheet>
  )
}
