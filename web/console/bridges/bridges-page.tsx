import { type ReactNode, useState } from 'react'
import { Button } from '../../ui/button.tsx'
import { Facts, Page, Part } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { Sheet } from '../../ui/sheet.tsx'
import { Empty, State, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { AddBridge } from './add-bridge.tsx'
import style from './bridges.module.css'
import { useGraveAct } from './grave-act.tsx'
import { type Unconfirmed, UnconfirmedList } from './unconfirmed-list.tsx'

type Bridge = {
  readonly clientId: string
  readonly name: string
  readonly url: string
  readonly status: 'active' | 'revoked'
}

type Listed = { readonly bridges: readonly Bridge[]; readonly unconfirmed: readonly Unconfirmed[] }

/** Software that may call the exchange: who, where it is called back, and shutting it out. */
export function BridgesPage(): ReactNode {
  const { t } = useWords()
  const { data, error, refetch } = useCall<Listed>('/v1/console/bridges')
  const [leaving, setLeaving] = useState<Bridge>()
  const grave = useGraveAct()
  const revoke = (bridge: Bridge): void =>
    grave.act({
      path: `/v1/console/bridges/${encodeURIComponent(bridge.clientId)}/revoke`,
      options: { body: {} },
      onDone: () => setLeaving(undefined),
    })
  return (
    <Page title={t('console.bridges')}>
      <p>{t('console.bridges-text')}</p>
      <AddBridge />
      {error === null ? null : <Trouble error={error} onAgain={() => void refetch()} />}
      {data === undefined && error === null ? <Waiting>{t('common.loading')}</Waiting> : null}
      <UnconfirmedList services={data?.unconfirmed ?? []} />
      <Part title={t('console.registered')}>
        {data?.bridges.length === 0 ? <Empty icon="key" title={t('console.no-bridges')} /> : null}
        <ul className={style.list}>
          {(data?.bridges ?? []).map((bridge) => (
            <li key={bridge.clientId}>
              <div>
                <p className={style.name}>
                  <bdi>{bridge.name}</bdi>
                </p>
                <p className={style.hint}>
                  <bdi>{bridge.clientId}</bdi> · <bdi>{bridge.url}</bdi>
                </p>
              </div>
              {bridge.status === 'active' ? (
                <>
                  <State tone="live">{t('console.bridge-active')}</State>
                  <Button look="stop" onClick={() => setLeaving(bridge)}>
                    {t('console.revoke')}
                    <span className="visually-hidden"> {bridge.name}</span>
                  </Button>
                </>
              ) : (
                <State tone="stopped">{t('console.bridge-revoked')}</State>
              )}
            </li>
          ))}
        </ul>
      </Part>
      {leaving === undefined ? null : (
        <Sheet
          title={t('console.revoke-title')}
          onClose={() => setLeaving(undefined)}
          actions={
            <Button look="stop" isBusy={grave.isPending} onClick={() => revoke(leaving)}>
              {t('console.revoke')}
            </Button>
          }
        >
          <Facts rows={[[t('console.bridge-name'), <bdi key="name">{leaving.name}</bdi>]]} />
          <p>{t('console.revoke-text')}</p>
          {grave.error === null ? null : <Trouble error={grave.error} />}
        </Sheet>
      )}
      {grave.prompt}
    </Page>
  )
}
