import { type ReactNode, useEffect, useState } from 'react'
import { Button } from '../../ui/button.tsx'
import { useWords } from '../words.ts'

/** Reads a text with the voice of the device; there is no button where the device has no voice of this language. */
export function ReadAloud(props: { readonly text: string }): ReactNode {
  const { t, language } = useWords()
  const voice = useVoice(language)
  const [isReading, setReading] = useState(false)
  useEffect(() => () => window.speechSynthesis?.cancel(), [])
  if (voice === undefined) return null
  const toggle = (): void => {
    window.speechSynthesis.cancel()
    if (isReading) return setReading(false)
    const speech = new SpeechSynthesisUtterance(props.text)
    speech.voice = voice
    speech.lang = voice.lang
    speech.onend = () => setReading(false)
    speech.onerror = () => setReading(false)
    setReading(true)
    window.speechSynthesis.speak(speech)
  }
  return (
    <div>
      <Button icon={isReading ? 'stop' : 'speaker'} onClick={toggle}>
        {t(isReading ? 'request.stop-reading' : 'request.read-aloud')}
      </Button>
    </div>
  )
}

function useVoice(language: string): SpeechSynthesisVoice | undefined {
  const [voices, setVoices] = useState<readonly SpeechSynthesisVoice[]>(() => window.speechSynthesis?.getVoices() ?? [])
  useEffect(() => {
    const speech = window.speechSynthesis
    if (speech === undefined) return
    // Some browsers load their voices late.
    const changed = (): void => setVoices(speech.getVoices())
    speech.addEventListener?.('voiceschanged', changed)
    return () => speech.removeEventListener?.('voiceschanged', changed)
  }, [])
  const isOwn = ({ lang }: SpeechSynthesisVoice): boolean => lang.toLowerCase().split(/[-_]/)[0] === language
  return voices.find((voice) => isOwn(voice) && voice.localService) ?? voices.find(isOwn)
}
