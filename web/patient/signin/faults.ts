import { Problem } from '../../ui/api.ts'
import { useWords } from '../words.ts'

type Faults = Readonly<Record<string, string>>

/** What a code may hear, in words for beside its field. */
export function useCodeFaults(): Faults {
  const { t } = useWords()
  return {
    'people/wrong-code': t('signin.wrong-code'),
    'people/code-expired': t('signin.code-expired'),
    'people/code-spent': t('signin.code-spent'),
    'people/unknown-sign-in': t('signin.code-expired'),
  }
}

export function codeFaultOf(error: unknown, says: Faults): string | undefined {
  return error instanceof Problem ? says[error.code] : undefined
}
