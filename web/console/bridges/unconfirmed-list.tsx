import type { ReactNode } from 'react'
import { Button } from '../../ui/button.tsx'
import { Part } from '../../ui/page.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import style from './bridges.module.css'
import { useGraveAct } from './grave-act.tsx'

export type Unconfirmed = { readonly id: string; readonly name: string; readonly bridge: string }

/** Services that bridges have named themselves: patients read of each that it is not registered, until somebody confirms it. */
export function UnconfirmedList({ services }: { readonly services: readonly Unconfirmed[] }): ReactNode {
  const { t } = useWords()
  const grave = useGraveAct()
  if (services.length === 0) return null
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
                <bdi>{id}</bdi> · <bdi>{bridge}</bdi>
              </p>
            </div>
            <Button
              isBusy={grave.isPending}
              onClick={() =>
                grave.act({ path: `/v1/console/facilities/${encodeURIComponent(id)}/confirm`, options: { body: {} } })
              }
            >
              {t('console.confirm')}
              <span className="visually-hidden"> {name}</span>
            </Button>
          </li>
        ))}
      </ul>
      {grave.prompt}
    </Part>
  )
}
