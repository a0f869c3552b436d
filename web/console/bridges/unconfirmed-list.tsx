import { type ReactNode, useState } from 'react'
import { Button } from '../../ui/button.tsx'
import { Part } from '../../ui/page.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import style from './bridges.module.css'
import { useGraveAct } from './grave-act.tsx'

export type Unconfirmed = { readonly id: string; readonly name: string; readonly bridge: string }

/** Services that bridges have named themselves: patients read of each that it is not registered, until somebody confirms it. */
export function UnconfirmedList(props: {
  readonly services: readonly Unconfirmed[]
  /** How many there are, also beyond those. */
  readonly count: number
  /** The name of a bridge, where its row has been read. */
  readonly bridgeName: (clientId: string) => string | undefined
}): ReactNode {
  const { services, count, bridgeName } = props
  const { t } = useWords()
  const [chosen, setChosen] = useState<string>()
  const grave = useGraveAct()
  if (services.length === 0) return null
  const confirm = (id: string): void => {
    setChosen(id)
    grave.act({ path: `/v1/console/facilities/${encodeURIComponent(id)}/confirm`, options: { body: {} } })
  }
  return (
    <Part title={t('console.unconfirmed')}>
      <p>{t('console.unconfirmed-text')}</p>
      {grave.error === null ? null : <Trouble error={grave.error} />}
      <ul className={style.list}>
        {services.map(({ id, name, bridge }) => (
          <li key={id}>
            <div>
              <p className={style.name}>
                <bdi>{name}</bdi>
              </p>
              <p className={style.hint}>
                <bdi>{id}</bdi> · <span>{t('console.named-by', { bridge: bridgeName(bridge) ?? bridge })}</span>
              </p>
            </div>
            <Button isBusy={grave.isPending && chosen === id} onClick={() => confirm(id)}>
              {t('console.confirm')}
              <span className="visually-hidden"> {name}</span>
            </Button>
          </li>
        ))}
      </ul>
      {count > services.length ? <p>{t('console.unconfirmed-more', { n: count - services.length })}</p> : null}
      {grave.prompt}
    </Part>
  )
}
