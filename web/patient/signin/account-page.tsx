import type { ReactNode } from 'react'
import { Button } from '../../ui/button.tsx'
import { Tick } from '../../ui/fields.tsx'
import { LanguageButton } from '../../ui/language-sheet.tsx'
import { ALL_LANGUAGES } from '../../ui/languages.ts'
import { Card, Page, Part } from '../../ui/page.tsx'
import { useWords } from '../words.ts'
import { DevicesPart } from './devices-part.tsx'
import { useSignOut } from './finish.ts'
import { keepLanguage } from './language.ts'
import { setLargeType, useLargeType } from './large-type.ts'
import { PasskeysPart } from './passkeys-part.tsx'
import style from './signin.module.css'

/** How one signs in and reads: passkeys, devices, language, size of letters; under "My choices". */
export function AccountPage(): ReactNode {
  const { t } = useWords()
  const signOut = useSignOut()
  return (
    <Page title={t('signin.account-title')} back={{ to: '/choices', label: t('app.choices') }}>
      <DisplayPart />
      <PasskeysPart />
      <DevicesPart />
      <Part title={t('choices.lost-phone')}>
        <p>{t('choices.lost-phone-text')}</p>
      </Part>
      <div>
        <Button icon="signOut" onClick={() => void signOut()}>
          {t('signin.sign-out')}
        </Button>
      </div>
    </Page>
  )
}

function DisplayPart(): ReactNode {
  const { t } = useWords()
  const isLarge = useLargeType()
  return (
    <Part title={t('signin.display')}>
      <Card>
        <div className={style.row}>
          <div>
            <b>{t('signin.language')}</b>
            <small>{t('signin.language-text')}</small>
          </div>
          <LanguageButton look="plain" languages={ALL_LANGUAGES} onChosen={keepLanguage} />
        </div>
        <Tick
          label={t('signin.large-type')}
          detail={t('signin.large-type-text')}
          checked={isLarge}
          onChange={(event) => setLargeType(event.currentTarget.checked)}
        />
      </Card>
    </Part>
  )
}
