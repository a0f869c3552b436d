import type { ReactNode } from 'react'
import { useWords } from '../words.ts'
import style from './staff.module.css'

export type SharedSecret = { readonly secret: string; readonly qr: string }

/** The secret for an authenticator app, as a picture to scan and as letters to type. */
export function SecretPicture({ shared }: { readonly shared: SharedSecret }): ReactNode {
  const { t } = useWords()
  return (
    <>
      <img className={style.qr} src={shared.qr} alt={t('staff.join-qr')} width="208" height="208" />
      <div>
        <p>{t('staff.join-key')}</p>
        <code className={style.key} dir="ltr">
          {shared.secret.replaceAll(/(.{4})(?=.)/g, '$1 ')}
        </code>
      </div>
    </>
  )
}
