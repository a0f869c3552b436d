import { Problem } from '../../ui/api.ts'
import { useWords } from '../words.ts'

export type Faults = Readonly<Record<string, string>>

/** What a code of the authenticator app may hear. */
export function useCodeFaults(): Faults {
  const { t } = useWords()
  return {
    'staff/wrong-code': t('staff.wrong-code'),
    'people/wrong-code': t('staff.wrong-code'),
    'people/code-spent': t('staff.code-spent'),
    'people/code-expired': t('staff.code-spent'),
  }
}

/** What a new password may hear from the server; the page says the same while one types. */
export function usePasswordFaults(): Faults {
  const { t } = useWords()
  return {
    'too-short': t('staff.password-too-short'),
    'too-long': t('staff.password-too-long'),
    'own-name': t('staff.password-own-name'),
    'too-plain': t('staff.password-too-plain'),
    'staff/weak-password': t('staff.password-own-name'),
    'staff/known-password': t('staff.password-known'),
  }
}

/** The words for an error that belong beside a field; undefined for those that do not. */
export function faultOf(error: unknown, says: Faults): string | undefined {
  return error instanceof Problem ? says[error.code] : undefined
}
