import { describe, expect, test } from 'vitest'
import { type ApiNotice, NoticeLimiter } from '#kubernetes/notices.ts'
import { freshStats } from '#kubernetes/stats.ts'
import { Malformed, NeverEnding, Refusal, Silent } from '#kubernetes/watch/failures.ts'
import { LIMITS } from '#kubernetes/watch/limits.ts'
import { type AttemptEnding, type Next, Recovery } from '#kubernetes/watch/recovery.ts'
import { watchedResources } from '#kubernetes/watch/resources.ts'
import { PaperClock } from '#lab/paper/clock.ts'

const [services, slices] = watchedResources('n1') as [AttemptEnding['resource'], AttemptEnding['resource']]

function refusal(code: number, more: { said?: string; via?: 'status' | 'event'; retryAfterMs?: number } = {}): Refusal {
  return new Refusal({ code, said: 'because', via: 'status', retryAfterMs: 0, ...more })
}

/** Without jitter, unless the test wants some. */
function setup(random = () => 0) {
  const clock = new PaperClock(1_000_000)
  const notices: ApiNotice[] = []
  const stats = freshStats().Service
  const limiter = new NoticeLimiter(notice => notices.push(notice), clock, LIMITS.noticeEveryMs)
  const recovery = new Recovery({ clock, random, limits: LIMITS, notices: limiter, stats })
  const decide = (ending: Partial<AttemptEnding>): Next => {
    return recovery.after({ resource: services, asked: 'watch', watchedMs: 0, steps: 0, version: '7', ...ending })
  }
  return { clock, notices, stats, recovery, decide }
}

describe('how long we wait', () => {
  test('0.8 s, twice as long each time, 10 s at most', () => {
    const { decide } = setup()
    const waits = Array.from({ length: 6 }, () => decide({ error: new Error('refused') }).waitMs)
    expect(waits).toEqual([800, 1600, 3200, 6400, 10_000, 10_000])
  })

  test('and up to as much again, at random', () => {
    const randoms = [0.5, 0.25]
    const { decide } = setup(() => randoms.shift()!)
    expect(decide({ error: new Error('a') }).waitMs).toBe(1200)
    expect(decide({ error: new Error('a') }).waitMs).toBe(2000)
  })

  test('even after days of failures', () => {
    const { decide } = setup()
    for (let i = 0; i < 3000; i++) decide({ error: new Error('a') })
    expect(decide({ error: new Error('a') }).waitMs).toBe(10_000)
  })

  test('not at all behind a watch that took us further, or that stood for a second', () => {
    const { decide } = setup()
    decide({ error: new Error('a') })
    expect(decide({ error: new Error('reset'), steps: 1 })).toEqual({ waitMs: 0, from: 'here' })
    expect(decide({ steps: 3 })).toEqual({ waitMs: 0, from: 'here' })
    expect(decide({ watchedMs: 1000 })).toEqual({ waitMs: 0, from: 'here' })
    expect(decide({ error: new Error('a') }).waitMs).toBe(800)
  })

  test('behind a watch that ends as soon as it begins', () => {
    const { decide, notices } = setup()
    expect([decide({ watchedMs: 999 }).waitMs, decide({}).waitMs]).toEqual([800, 1600])
    expect(notices).toEqual([
      { what: 'waiting', resource: 'Service', reason: 'a watch is closed as soon as it is open', retryMs: 800 },
    ])
  })

  test('as long as the API server asks for, up to a minute', () => {
    const { decide } = setup()
    expect(decide({ error: refusal(429, { retryAfterMs: 5000 }) }).waitMs).toBe(5000)
    expect(decide({ error: refusal(503, { retryAfterMs: 600_000 }) }).waitMs).toBe(60_000)
    expect(decide({ error: refusal(429, { retryAfterMs: 1000 }) }).waitMs).toBe(3200)
    expect(decide({ error: refusal(429, { retryAfterMs: 2000 }), steps: 1 }).waitMs).toBe(2000)
  })

  test('after silence not at all: it took long enough', () => {
    const { decide, stats } = setup()
    expect(decide({ error: new Silent('no event and no bookmark', 100_000) })).toEqual({ waitMs: 0, from: 'here' })
    expect(stats.silences).toBe(1)
  })
})

describe('where we go on', () => {
  test('410: from the beginning, at once', () => {
    const { decide, stats } = setup()
    expect(decide({ error: refusal(410) })).toEqual({ waitMs: 0, from: 'the beginning' })
    expect(stats.gone).toBe(1)
  })

  test('410 right behind a relist: from the beginning, later and later', () => {
    const { decide } = setup()
    const waits = [1, 2, 3].map(() => decide({ error: refusal(410, { via: 'event' }) }).waitMs)
    expect(waits).toEqual([0, 800, 1600])
    expect(decide({ error: refusal(410, { via: 'event' }), steps: 1 }).waitMs).toBe(0)
  })

  test('what cannot be read is asked for twice more at the same place, then everything is', () => {
    const { decide, stats } = setup()
    const bad = { error: new Malformed('a line that is not JSON') }
    expect([1, 2, 3, 4].map(() => decide(bad).from)).toEqual(['here', 'here', 'the beginning', 'here'])
    expect(decide({ ...bad, version: '8' }).from).toBe('here')
    expect(decide({ ...bad, version: '8' }).from).toBe('here')
    expect(decide({ ...bad, version: '8' }).from).toBe('the beginning')
    expect(stats.malformed).toBe(7)
  })

  test.each([
    [refusal(400), 'a proxy that knows better'],
    [refusal(422), 'an API server before 1.27'],
    [refusal(500, { via: 'event', said: 'required storage feature RequestWatchProgress is disabled' }), 'etcd 3.4'],
    [new Silent('nothing more of a list', 30_000), 'a list that stops'],
    [new NeverEnding('a streamed list does not end'), 'a watch in place of a list'],
  ])('%s to a streamed list: pages, at once (%s)', (error, _) => {
    const { decide, notices } = setup()
    expect(decide({ error, asked: 'streamed list', resource: slices, version: '' })).toEqual({
      waitMs: 0,
      from: 'the beginning',
      without: 'streamed lists',
    })
    expect(notices.at(-1)).toEqual({ what: 'fallback', resource: 'EndpointSlice', reason: error.message })
  })

  test.each([[refusal(500)], [refusal(503)], [refusal(429)], [new Error('reset')], [refusal(500, { said: '' })]])(
    '%s to a streamed list: the same again, later',
    error => {
      expect(setup().decide({ error, asked: 'streamed list', version: '' })).toEqual({ waitMs: 800, from: 'here' })
    },
  )

  test('a streamed list that cannot be read three times: pages', () => {
    const { decide } = setup()
    const bad = { error: new Malformed('<html>'), asked: 'streamed list', version: '' } as const
    decide(bad)
    decide(bad)
    expect(decide(bad)).toMatchObject({ from: 'the beginning', without: 'streamed lists' })
  })

  test('a field selector that is not known is left out, where it may be', () => {
    const { decide, notices } = setup()
    const error = refusal(400, { said: 'field label not supported: spec.clusterIP' })
    const without = { waitMs: 0, from: 'the beginning', without: 'field selector' }
    expect(decide({ error, asked: 'streamed list', version: '' })).toEqual(without)
    expect(decide({ error: refusal(400), asked: 'paged list', version: '' })).toEqual(without)
    expect(notices[0]).toEqual({
      what: 'unselected',
      resource: 'Service',
      selector: 'spec.clusterIP!=None',
      reason: 'the API server answered 400: field label not supported: spec.clusterIP',
    })
    expect(decide({ error, resource: slices })).toEqual({ waitMs: 800, from: 'here' })
  })
})

describe('what is reported', () => {
  test('that we wait: once a minute for all three resources together', async () => {
    const { decide, clock, notices } = setup()
    decide({ error: new Error('connect ECONNREFUSED 10.0.0.1:6443') })
    decide({ error: new Error('connect ECONNREFUSED 10.0.0.1:6443'), resource: slices })
    await clock.advance(59_999)
    decide({ error: new Error('connect ECONNREFUSED 10.0.0.1:6443') })
    expect(notices).toHaveLength(1)
    await clock.advance(1)
    decide({ error: new Error('connect ECONNREFUSED 10.0.0.1:6443') })
    expect(notices).toHaveLength(2)
  })

  test('a new reason at once', () => {
    const { decide, notices } = setup()
    decide({ error: new Error('refused') })
    decide({ error: new Error('reset') })
    expect(notices).toMatchObject([{ reason: 'refused' }, { reason: 'reset' }])
  })

  test('that it works again, and how long it did not', async () => {
    const { decide, clock, notices, recovery } = setup()
    recovery.works(services)
    decide({ error: new Error('refused') })
    await clock.advance(5000)
    recovery.works(services)
    recovery.works(services)
    expect(notices.slice(1)).toEqual([{ what: 'back', resource: 'Service', downMs: 5000 }])
  })

  test.each([
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [404, 'forbidden'],
    [500, 'waiting'],
  ])('%s: %s', (code, what) => {
    const { decide, notices } = setup()
    decide({ error: refusal(code) })
    expect(notices).toEqual([
      { what, resource: 'Service', reason: `the API server answered ${code}: because`, retryMs: 800 },
    ])
  })

  test('a clock that is set back does not silence us', () => {
    const notices: ApiNotice[] = []
    let now = 1_000_000
    const limiter = new NoticeLimiter(notice => notices.push(notice), { now: () => now, sleep: async () => {} }, 60_000)
    limiter.notify({ what: 'silent', resource: 'Node', reason: 'a' })
    now = 0
    limiter.notify({ what: 'silent', resource: 'Node', reason: 'a' })
    expect(notices).toHaveLength(2)
  })
})
