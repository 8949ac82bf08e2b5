import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PaperClock } from '#lab/paper/clock.ts'
import { PageFeed } from '#page/feed.ts'
import { html } from '#page/html/html.ts'
import { HEARTBEAT_MS, LEAST_PAUSE_MS, livePage } from '#page/live/live.ts'
import type { PagePart } from '#page/request.ts'

// A browser of paper: what it was sent, and whether it reads.

class Reader {
  readonly #end = new AbortController()
  readonly closed = this.#end.signal
  isBehind = false
  received = ''

  write(text: string): void {
    this.received += text
  }

  leave(): void {
    this.#end.abort()
  }

  /** Since the last call. */
  take(): string {
    const { received } = this
    this.received = ''
    return received
  }
}

let clock: PaperClock
let reader: Reader
let feed: PageFeed
let shown: Record<string, string>
let renders: number
let looking: Promise<void>

beforeEach(async () => {
  clock = new PaperClock(0)
  reader = new Reader()
  feed = new PageFeed()
  shown = { one: 'a', two: 'b' }
  renders = 0
  const parts = async (): Promise<readonly PagePart[]> => {
    renders++
    return Object.entries(shown).map(([id, text]) => ({ id, body: html`${text}` }))
  }
  looking = livePage({ parts, follows: [feed], clock, to: reader })
  await turn()
})
afterEach(async () => {
  reader.leave()
  await looking
})

/** What goes on without a clock goes on. */
function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

async function passes(ms: number): Promise<void> {
  await clock.advance(ms)
  await turn()
}

const partsIn = (text: string): unknown => {
  const data = /^event: parts\ndata: (.*)\n\n$/.exec(text)?.[1]
  return data === undefined ? text : JSON.parse(data)
}

describe('a page that is looked at', () => {
  test('is sent whole at first, each part with the one before it', () => {
    expect(partsIn(reader.take())).toEqual([
      { id: 'one', html: 'a' },
      { id: 'two', html: 'b', after: 'one' },
    ])
  })

  test('is sent what has changed, and nothing else, half a second after at most', async () => {
    reader.take()
    await passes(LEAST_PAUSE_MS)
    shown.two = '<b>'
    feed.changed()
    await turn()
    expect(partsIn(reader.take())).toEqual([{ id: 'two', html: '&lt;b&gt;', after: 'one' }])
    // Another program changes what this page does not show.
    feed.changed()
    await passes(LEAST_PAUSE_MS)
    expect(reader.take()).toBe('')
  })

  test('is made anew twice a second at most, however much happens', async () => {
    await passes(LEAST_PAUSE_MS)
    const before = renders
    // Ten seconds, and the moment at their end.
    for (let ms = 0; ms < 10_000; ms += 10) {
      feed.changed()
      await passes(10)
    }
    expect(renders - before).toBeLessThanOrEqual(21)
    expect(renders - before).toBeGreaterThan(15)
  })

  test('loses parts that are gone', async () => {
    reader.take()
    shown = { two: 'b' }
    feed.changed()
    await passes(LEAST_PAUSE_MS)
    expect(reader.take()).toBe('event: removed\ndata: ["one"]\n\n')
  })

  test('costs nothing while nothing happens, but for a sign of life', async () => {
    await passes(LEAST_PAUSE_MS)
    reader.take()
    const before = renders
    await passes(HEARTBEAT_MS)
    expect([reader.take(), renders]).toEqual([':\n\n', before])
  })

  test('is sent nothing while its browser does not read, and then the last state once', async () => {
    await passes(LEAST_PAUSE_MS)
    reader.take()
    reader.isBehind = true
    for (const text of ['x', 'y', 'z']) {
      shown.one = text
      feed.changed()
      await passes(LEAST_PAUSE_MS)
    }
    expect(reader.take()).toBe('')
    reader.isBehind = false
    await passes(LEAST_PAUSE_MS)
    expect(partsIn(reader.take())).toEqual([{ id: 'one', html: 'z' }])
  })

  test('is followed no longer once it is closed', async () => {
    expect(feed.followers).toBe(1)
    reader.leave()
    await looking
    expect(feed.followers).toBe(0)
  })
})
