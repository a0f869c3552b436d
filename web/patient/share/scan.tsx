import { type ReactNode, useEffect, useEffectEvent, useRef, useState } from 'react'
import { Button } from '../../ui/button.tsx'
import { TextField } from '../../ui/fields.tsx'
import { useWords } from '../words.ts'
import { type Counter, readCounter } from './counter-code.ts'
import style from './share.module.css'

/** Not in every browser yet, hence not in TypeScript's library. */
type Detector = { readonly detect: (source: HTMLVideoElement) => Promise<readonly { readonly rawValue: string }[]> }
type DetectorClass = new (options: { readonly formats: readonly string[] }) => Detector

const LOOK_EVERY_MS = 250

function detectorClass(): DetectorClass | undefined {
  const found: unknown = Reflect.get(globalThis, 'BarcodeDetector')
  return typeof found === 'function' ? (found as DetectorClass) : undefined
}

/** The code at a counter: by camera where the browser can read codes, by hand everywhere. */
export function ScanCounter(props: { readonly onCounter: (counter: Counter) => void }): ReactNode {
  const { t } = useWords()
  const [isOpen, setOpen] = useState(false)
  const [isBlocked, setBlocked] = useState(false)
  const canScan = detectorClass() !== undefined && !isBlocked
  return (
    <div className={style.scan}>
      {canScan ? (
        <>
          <p>{t('records.share-scan-text')}</p>
          {isOpen ? (
            <Camera
              onText={(text) => {
                const counter = readCounter(text)
                if (counter !== undefined) props.onCounter(counter)
              }}
              onBlocked={() => {
                setOpen(false)
                setBlocked(true)
              }}
            />
          ) : null}
          <Button look={isOpen ? 'plain' : 'primary'} icon="scan" isWide onClick={() => setOpen(!isOpen)}>
            {t(isOpen ? 'records.share-scan-stop' : 'records.share-scan')}
          </Button>
        </>
      ) : (
        <p>{t('records.share-no-camera')}</p>
      )}
      <TypedCode onCounter={props.onCounter} />
    </div>
  )
}

function TypedCode(props: { readonly onCounter: (counter: Counter) => void }): ReactNode {
  const { t } = useWords()
  const [text, setText] = useState('')
  const [isWrong, setWrong] = useState(false)
  return (
    <form
      className={style.scan}
      onSubmit={(event) => {
        event.preventDefault()
        const counter = readCounter(text)
        setWrong(counter === undefined)
        if (counter !== undefined) props.onCounter(counter)
      }}
    >
      <TextField
        label={t('records.share-type')}
        hint={t('records.share-type-hint')}
        value={text}
        autoComplete="off"
        autoCapitalize="characters"
        spellCheck={false}
        maxLength={500}
        onChange={(event) => setText(event.target.value)}
        {...(isWrong ? { fault: t('records.share-type-wrong') } : {})}
      />
      <Button type="submit" isWide>
        {t('records.share-type-go')}
      </Button>
    </form>
  )
}

function Camera(props: { readonly onText: (text: string) => void; readonly onBlocked: () => void }): ReactNode {
  const { t } = useWords()
  const video = useRef<HTMLVideoElement>(null)
  const onText = useEffectEvent(props.onText)
  const onBlocked = useEffectEvent(props.onBlocked)
  useEffect(() => {
    const element = video.current
    return element === null ? undefined : watch(element, { onText, onBlocked })
  }, [])
  return <video ref={video} className={style.video} muted playsInline aria-label={t('records.share-scan-video')} />
}

/** Looks for codes in the picture of the camera until the returned function is called. The picture goes nowhere. */
function watch(
  video: HTMLVideoElement,
  tell: { readonly onText: (text: string) => void; readonly onBlocked: () => void },
): () => void {
  const Reader = detectorClass()
  let stream: MediaStream | undefined
  let timer: number | undefined
  let isOver = false
  const stop = (): void => {
    isOver = true
    window.clearTimeout(timer)
    for (const track of stream?.getTracks() ?? []) track.stop()
  }
  const run = async (): Promise<void> => {
    if (Reader === undefined) return tell.onBlocked()
    try {
      const detector = new Reader({ formats: ['qr_code'] })
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } })
      if (isOver) return stop()
      video.srcObject = stream
      await video.play()
      const lookOnce = async (): Promise<void> => {
        for (const { rawValue } of await detector.detect(video)) tell.onText(rawValue)
        if (!isOver) timer = window.setTimeout(() => void lookOnce(), LOOK_EVERY_MS)
      }
      await lookOnce()
    } catch {
      // No camera, or she does not allow it: the code can be typed.
      if (!isOver) tell.onBlocked()
    }
  }
  void run()
  return stop
}
