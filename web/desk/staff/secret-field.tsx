import { type ComponentProps, type ReactNode, useState } from 'react'
import { TextField, Tick } from '../../ui/fields.tsx'
import { useWords } from '../words.ts'

/** A password field whose text one may look at. Pasting is welcome. */
export function SecretField(props: ComponentProps<typeof TextField>): ReactNode {
  const { t } = useWords()
  const [isShown, setIsShown] = useState(false)
  return (
    <>
      <TextField {...props} type={isShown ? 'text' : 'password'} dir="ltr" maxLength={400} />
      <Tick
        label={t('staff.show-password')}
        checked={isShown}
        onChange={(event) => setIsShown(event.currentTarget.checked)}
      />
    </>
  )
}
