// What the browser does besides showing the page: it takes parts anew as they change, and searches while one types. Without it
// every page reads the same, and links and forms work.

export const SCRIPT = `'use strict'
;(() => {
  const main = document.getElementById('main')
  const status = document.getElementById('live')
  const isLive = main.hasAttribute('data-live')
  const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches
  let stream
  let isPaused = false

  /** Takes over what differs, and leaves the elements in place: focus, scroll position and selection stay. */
  function morph(from, to) {
    if (from.isEqualNode(to)) return
    if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) return from.replaceWith(to)
    if (from.nodeType === Node.TEXT_NODE) {
      from.data = to.data
      flash(from.parentElement)
      return
    }
    for (const { name } of [...from.attributes]) if (name !== 'open' && !to.hasAttribute(name)) from.removeAttribute(name)
    for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value)
    morphChildren(from, to)
  }

  const keyOf = node => node.dataset && node.dataset.key

  function morphChildren(from, to) {
    const kept = new Set([...to.children].map(keyOf).filter(Boolean))
    for (const child of [...from.children]) if (keyOf(child) && !kept.has(keyOf(child))) child.remove()
    const byKey = new Map([...from.children].filter(keyOf).map(child => [keyOf(child), child]))
    let at = from.firstChild
    for (const next of [...to.childNodes]) {
      const key = keyOf(next)
      const same = key ? byKey.get(key) : at && !keyOf(at) ? at : undefined
      if (same === undefined) from.insertBefore(next, at)
      else {
        if (same === at) at = at.nextSibling
        else from.insertBefore(same, at)
        morph(same, next)
      }
    }
    while (at) {
      const next = at.nextSibling
      at.remove()
      at = next
    }
  }

  function flash(element) {
    if (isCalm || !element) return
    element.animate({ backgroundColor: ['var(--flash)', 'transparent'] }, 1200)
  }

  function take({ data }) {
    for (const { id, html, after } of JSON.parse(data)) {
      const text = '<section id="part-' + id + '">' + html + '</section>'
      const next = document.adoptNode(new DOMParser().parseFromString(text, 'text/html').body.firstChild)
      const from = document.getElementById('part-' + id)
      const before = document.getElementById('part-' + after)
      if (from) morph(from, next)
      else if (before) before.after(next)
      else main.insertBefore(next, main.querySelector('section'))
    }
  }

  function removed({ data }) {
    for (const id of JSON.parse(data)) document.getElementById('part-' + id)?.remove()
  }

  const words = document.createElement('span')
  function say(text, state) {
    if (words.textContent !== text) words.textContent = text
    status.dataset.state = state
  }

  function open() {
    close()
    if (isPaused || document.hidden) return
    stream = new EventSource('/page/live?at=' + encodeURIComponent(location.pathname + location.search))
    stream.addEventListener('parts', take)
    stream.addEventListener('removed', removed)
    stream.addEventListener('open', () => say('Live', 'on'))
    stream.addEventListener('error', () => say('Not connected; this is how it was', 'off'))
  }

  function close() {
    stream?.close()
    stream = undefined
  }

  /** An address that another search has; the stream sends the rows for it. */
  function searchAsTyped(form) {
    let timer
    form.addEventListener('input', () => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        history.replaceState(null, '', form.action + '?' + new URLSearchParams(new FormData(form)))
        if (stream) open()
      }, 150)
    })
    form.addEventListener('submit', () => clearTimeout(timer))
  }

  function pauseButton() {
    const button = document.createElement('button')
    button.type = 'button'
    button.textContent = 'Pause'
    button.setAttribute('aria-pressed', 'false')
    button.addEventListener('click', () => {
      isPaused = !isPaused
      button.setAttribute('aria-pressed', String(isPaused))
      if (isPaused) {
        close()
        say('Paused', 'off')
      } else open()
    })
    return button
  }

  if (isLive) {
    status.append(words)
    status.after(pauseButton())
    document.addEventListener('visibilitychange', () => (document.hidden ? close() : open()))
    addEventListener('pagehide', close)
    addEventListener('pageshow', event => event.persisted && open())
    for (const form of document.querySelectorAll('form[data-as-typed]')) searchAsTyped(form)
    open()
  }
  document.addEventListener('keydown', event => {
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey
    const field = document.querySelector('input[type=search], form.search input')
    if (event.key !== '/' || !isPlain || !field || event.target.closest('input, select, textarea')) return
    event.preventDefault()
    field.focus()
    field.select()
  })
})()
`
