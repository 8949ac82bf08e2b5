import type { Clock } from '#system/ports.ts'
import type { HttpStream } from '#system/sockets.ts'
import type { PagePart } from '../request.ts'
import type { FollowedSource } from '../views/followed.ts'

// A page that is looked at → its parts as they change, as server-sent events. Only what is shown is made anew, at most twice a
// second, and only what differs is sent.

export interface LiveParts {
  readonly parts: () => Promise<readonly PagePart[]>
  readonly follows: readonly FollowedSource[]
  readonly clock: Clock
  readonly to: HttpStream
}

export const LEAST_PAUSE_MS = 500
/** Shorter than the patience of proxies on the way: a quiet page stays connected. */
export const HEARTBEAT_MS = 15_000

/** Resolves when the browser has gone. */
export async function livePage({ parts, follows, clock, to }: LiveParts): Promise<void> {
  const { closed } = to
  const bell = new Bell()
  const sent = new Map<string, string>()
  const ends = follows.map(source => source.follow(() => bell.ring()))
  try {
    bell.ring()
    while (!closed.aborted) {
      const isRung = await bell.rungWithin(HEARTBEAT_MS, clock, closed)
      if (closed.aborted) return
      // To a browser that does not read, nothing more is sent until it does; what came meanwhile is one change.
      if (to.isBehind) await clock.sleep(LEAST_PAUSE_MS, closed)
      else if (isRung) {
        bell.reset()
        const text = changes(await parts(), sent)
        if (text !== '' && !closed.aborted) to.write(text)
        await clock.sleep(LEAST_PAUSE_MS, closed)
      } else to.write(':\n\n')
    }
  } finally {
    for (const end of ends) end()
  }
}

function changes(parts: readonly PagePart[], sent: Map<string, string>): string {
  const texts = parts.map(({ id, body }) => ({ id, html: body.toString() }))
  const changed = texts.filter(({ id, html }) => sent.get(id) !== html)
  const ids = new Set(texts.map(({ id }) => id))
  const removed = [...sent.keys()].filter(id => !ids.has(id))
  for (const id of removed) sent.delete(id)
  for (const { id, html } of changed) sent.set(id, html)
  return (
    (removed.length > 0 ? event('removed', removed) : '') +
    (changed.length > 0 ? event('parts', placed(texts, changed)) : '')
  )
}

/** Where a part is new, the browser needs the one before it. */
function placed(
  texts: readonly { readonly id: string; readonly html: string }[],
  changed: readonly { readonly id: string; readonly html: string }[],
): readonly object[] {
  const after = new Map(texts.map(({ id }, i) => [id, texts[i - 1]?.id]))
  return changed.map(part => ({ ...part, after: after.get(part.id) }))
}

function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}

/** Rings from the first change on until it is reset. */
class Bell {
  #isRung = false
  #heard = () => {}

  ring(): void {
    this.#isRung = true
    this.#heard()
  }

  reset(): void {
    this.#isRung = false
  }

  async rungWithin(ms: number, clock: Clock, closed: AbortSignal): Promise<boolean> {
    if (this.#isRung) return true
    const rung = new AbortController()
    this.#heard = () => rung.abort()
    await clock.sleep(ms, AbortSignal.any([rung.signal, closed]))
    this.#heard = () => {}
    return this.#isRung
  }
}
