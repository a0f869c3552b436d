import { mount } from '../ui/mount.tsx'
import { App } from './app.tsx'
import { loadWords } from './words.ts'

mount({ app: 'console', base: '/sandbox', load: loadWords, children: <App /> })
