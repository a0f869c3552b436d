import { type ReactNode, useEffect, useId, useRef } from 'react'
import { Button } from './button.tsx'
import style from './sheet.module.css'
import { useAnyWords } from './words.tsx'

/** A sheet over the page: the native dialog keeps the focus inside, Escape closes it, the page behind is out of reach. */
export function Sheet(props: {
  readonly title: ReactNode
  readonly onClose: () => void
  readonly children: ReactNode
  /** Verbs, at the foot. */
  readonly actions?: ReactNode
}): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null)
  const title = useId()
  const { t } = useAnyWords()
  const { onClose } = props
  useEffect(() => {
    const element = dialog.current
    element?.showModal()
    return () => element?.close()
  }, [])
  return (
    <dialog
      ref={dialog}
      className={style.sheet}
      aria-labelledby={title}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
    >
      <header className={style.head}>
        <h2 id={title}>{props.title}</h2>
        <Button look="quiet" icon="cross" onClick={onClose}>
          {t('common.close')}
        </Button>
      </header>
      <div className={style.body}>{props.children}</div>
      {props.actions === undefined ? null : <footer className={style.foot}>{props.actions}</footer>}
    </dialog>
  )
}
