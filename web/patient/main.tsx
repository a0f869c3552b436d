import { mount } from '../ui/mount.tsx'
import { App } from './app.tsx'
import { loadWords } from './words.ts'

mount({ app: 'patient', base: '/me', load: loadWords, children: <App /> })
