import { type ReactNode, useState } from 'react'
import { Button } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Facts, Page, Part } from '../../ui/page.tsx'
import { More, usePages } from '../../ui/pages.tsx'
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
  readonly shutOutAt?: string
}

type Listed = {
  readonly bridges: readonly Bridge[]
  readonly unconfirmed: readonly Unconfirmed[]
  readonly unconfirmedCount: number
  /** Where the next page begins, when there is one. */
  readonly next?: string
}

const PATH = '/v1/console/bridges'

/** Software that may call the exchange: who, where it is called back, and shutting it out. */
export function BridgesPage(): ReactNode {
  const { t } = useWords()
  const pages = usePages<Listed>(PATH, 'after')
  const { data, error, refetch, isFetchNextPageError } = pages
  const bridges = data?.pages.flatMap((page) => page.bridges)
  const [leaving, setLeaving] = useState<Bridge>()
  const grave = useGraveAct()
  const revoke = (bridge: Bridge): void =>
    grave.act({
      path: `${PATH}/${encodeURIComponent(bridge.clientId)}/revoke`,
      options: { body: {} },
      onDone: () => setLeaving(undefined),
    })
  return (
    <Page title={t('console.bridges')}>
      <p>{t('console.bridges-text')}</p>
      <AddBridge />
      {error === null || isFetchNextPageError ? null : <Trouble error={error} onAgain={() => void refetch()} />}
      {data === undefined && error === null ? <Waiting>{t('common.loading')}</Waiting> : null}
      <UnconfirmedList
        services={data?.pages.at(-1)?.unconfirmed ?? []}
        count={data?.pages.at(-1)?.unconfirmedCount ?? 0}
        bridgeName={(clientId) => bridges?.find((bridge) => bridge.clientId === clientId)?.name}
      />
      <Part title={t('console.registered')}>
        {bridges?.length === 0 ? <Empty icon="key" title={t('console.no-bridges')} /> : null}
        <BridgeList bridges={bridges ?? []} onRevoke={setLeaving} />
        <More pages={pages} />
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

function BridgeList(props: {
  readonly bridges: readonly Bridge[]
  readonly onRevoke: (bridge: Bridge) => void
}): ReactNode {
  const { t } = useWords()
  const { moment } = useDates()
  return (
    <ul className={style.list}>
      {props.bridges.map((bridge) => (
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
              <Button look="stop" onClick={() => props.onRevoke(bridge)}>
                {t('console.revoke')}
                <span className="visually-hidden"> {bridge.name}</span>
              </Button>
            </>
          ) : (
            <State tone="stopped">{t('console.shut-out-since', { when: moment(bridge.shutOutAt ?? '') })}</State>
          )}
        </li>
      ))}
    </ul>
  )
}
