import { mount } from '../ui/mount.tsx'
import { App } from './app.tsx'
import { loadWords } from './words.ts'

mount({ app: 'desk', base: '/desk', load: loadWords, children: <App /> })
