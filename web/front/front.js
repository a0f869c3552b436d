// Keeps the numbers of the page fresh: fetches the page anew and swaps what changed. Everything is on the page without it, too.
const EVERY_MS = 2000
const TRY_TIMEOUT_MS = 5000
const live = (root) => [...root.querySelectorAll('[data-live]')]
const idsOf = (root) => live(root).map((part) => part.id).join(' ')

/** Only what differs is touched, so that focus and selection stay where they are. */
function show(fresh) {
  if (idsOf(fresh) !== idsOf(document)) {
    document.querySelector('main').replaceWith(fresh.querySelector('main'))
    addCopyButtons()
    return
  }
  for (const part of live(fresh)) {
    const shown = document.getElementById(part.id)
    if (!shown.isEqualNode(part)) {
      shown.replaceChildren(...part.childNodes)
      shown.className = part.className
    }
  }
}

async function refresh() {
  if (document.hidden) return
  let lost = false
  try {
    const address = new URL('/', location.href)
    address.searchParams.set('lang', document.documentElement.lang)
    const answer = await fetch(address, { signal: AbortSignal.timeout(TRY_TIMEOUT_MS) })
    if (!answer.ok) throw new Error(String(answer.status))
    show(new DOMParser().parseFromString(await answer.text(), 'text/html'))
  } catch {
    lost = true
  }
  document.getElementById('lost').hidden = !lost
}

function addCopyButtons() {
  const steps = document.querySelector('.steps')
  if (!navigator.clipboard) return
  for (const command of steps.querySelectorAll('.command')) {
    const code = command.querySelector('code')
    const button = document.createElement('button')
    button.type = 'button'
    button.dir = 'auto'
    button.textContent = steps.dataset.copy
    button.setAttribute('aria-label', `${steps.dataset.copy}: ${code.textContent}`)
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(code.textContent)
      button.textContent = steps.dataset.copied
      setTimeout(() => (button.textContent = steps.dataset.copy), 2000)
    })
    command.append(button)
  }
}

async function keepFresh() {
  await refresh()
  setTimeout(keepFresh, EVERY_MS)
}

addCopyButtons()
setTimeout(keepFresh, EVERY_MS)
document.addEventListener('visibilitychange', refresh)
