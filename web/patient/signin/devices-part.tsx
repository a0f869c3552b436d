import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { call } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Card, Part } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { Banner, State, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { useNow } from './countdown.ts'
import style from './signin.module.css'

type Device = {
  readonly id: string
  readonly device: string
  readonly how: 'otp' | 'passkey'
  readonly openedAt: string
  readonly seenAt: string
  readonly isThis: boolean
}

/** Where the person is signed in, and signing out what is not at hand. */
export function DevicesPart(): ReactNode {
  const { t } = useWords()
  const client = useQueryClient()
  const { data: devices, error, refetch } = useCall<readonly Device[]>('/v1/me/sessions')
  const end = useMutation({
    mutationFn: (id: string | undefined) =>
      call(`/v1/me/sessions${id === undefined ? '' : `/${id}`}`, { method: 'DELETE' }),
    onSettled: () => client.invalidateQueries(),
  })
  return (
    <Part title={t('signin.devices')}>
      {error === null ? null : <Trouble error={error} onAgain={() => void refetch()} />}
      {end.error === null ? null : <Trouble error={end.error} />}
      {end.isSuccess ? (
        <Banner
          tone="calm"
          title={end.variables === undefined ? t('choices.others-ended') : t('signin.device-signed-out')}
        />
      ) : null}
      {devices === undefined ? (
        error === null && <Waiting>{t('common.loading')}</Waiting>
      ) : (
        <Card>
          <ul className={style.list}>
            {devices.map((device) => (
              <DeviceRow key={device.id} device={device} isBusy={end.isPending} onEnd={() => end.mutate(device.id)} />
            ))}
          </ul>
          {devices.length > 1 ? (
            <>
              <p>{t('signin.device-others')}</p>
              <div>
                <Button icon="signOut" isBusy={end.isPending} onClick={() => end.mutate(undefined)}>
                  {t('choices.end-others')}
                </Button>
              </div>
            </>
          ) : null}
        </Card>
      )}
    </Part>
  )
}

function DeviceRow(props: {
  readonly device: Device
  readonly isBusy: boolean
  readonly onEnd: () => void
}): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const now = useNow()
  const { device, how, openedAt, seenAt, isThis } = props.device
  return (
    <li className={style.row}>
      <div>
        <b>{device === '' ? t('signin.device-unknown') : <bdi>{device}</bdi>}</b>
        <small>
          {t('signin.device-seen', { opened: dates.moment(openedAt), seen: dates.relative(seenAt, new Date(now)) })}
        </small>
        <small>{t(`signin.how-${how}`)}</small>
      </div>
      {isThis ? (
        <State tone="live">{t('signin.device-this')}</State>
      ) : (
        <Button icon="signOut" isBusy={props.isBusy} onClick={props.onEnd}>
          {t('signin.device-sign-out')}
          <span className="visually-hidden">: {device === '' ? t('signin.device-unknown') : device}</span>
        </Button>
      )}
    </li>
  )
}
