import { type ReactNode, StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Router } from 'wouter'
import './base.css'
import './fonts.css'
import './tokens.css'
import { Guard } from './guard.tsx'
import { pickLanguage } from './languages.ts'
import { QueryProvider } from './query.tsx'
import { chosenLanguage, type LoadWords, WordsProvider } from './words.tsx'

/** Starts one app in the page: words of the person's language first, then what it shows under its own path. */
export function mount(options: {
  readonly app: 'patient' | 'desk' | 'console' | 'verify'
  readonly base: string
  readonly load: LoadWords
  readonly children: ReactNode
}): void {
  const place = document.getElementById('app')
  if (place === null) throw new Error('the page has no place for the app')
  document.documentElement.dataset['app'] = options.app
  createRoot(place).render(
    <StrictMode>
      <WordsProvider first={pickLanguage(chosenLanguage(), navigator.languages)} load={options.load}>
        <QueryProvider>
          <Guard at="/">
            <Router base={options.base}>{options.children}</Router>
          </Guard>
        </QueryProvider>
      </WordsProvider>
    </StrictMode>,
  )
}
