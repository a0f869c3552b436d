import { mount } from '../ui/mount.tsx'
import { App } from './app.tsx'
import { loadWords } from './words.ts'

mount({ app: 'verify', base: '/verify', load: loadWords, children: <App /> })
