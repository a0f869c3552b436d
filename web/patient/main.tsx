import { mount } from '../ui/mount.tsx'
import { App } from './app.tsx'
import { applyLargeType } from './signin/large-type.ts'
import { loadWords } from './words.ts'

applyLargeType()
mount({ app: 'patient', base: '/me', load: loadWords, children: <App /> })

// Keeps the app on the device; without it the app works as a page.
if ('serviceWorker' in navigator)
  void navigator.serviceWorker
    .register('/me/service-worker.js', { scope: '/me', type: 'module' })
    .catch(() => undefined)
