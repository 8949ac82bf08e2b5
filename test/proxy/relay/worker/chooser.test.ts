import { describe, expect, test } from 'vitest'
import type { PoolEndpoint, StickyClient } from '#proxy/relay/messages.ts'
import { Chooser } from '#proxy/relay/worker/chooser.ts'
import { favourite } from '#proxy/relay/worker/favourite.ts'

const NONE: ReadonlySet<string> = new Set()
const end = (n: number): PoolEndpoint => ({ ip: `10.244.1.${n}`, port: 8080, text: `10.244.1.${n}:8080` })
const ends = (...numbers: readonly number[]): readonly PoolEndpoint[] => numbers.map(end)

function chooser(endpoints: readonly PoolEndpoint[], stickySeconds?: number) {
  const sticky = stickySeconds === undefined ? {} : { stickySeconds }
  const state = { now: 1_000_000, turn: 0, shared: [] as StickyClient[] }
  const it = new Chooser({
    pool: { endpoints, ...sticky },
    turn: () => state.turn++,
    now: () => state.now,
    share: client => state.shared.push(client),
  })
  return { it, state, sticky }
}

function take(it: Chooser, client: string, times: number): readonly string[] {
  return Array.from({ length: times }, () => {
    const endpoint = it.choose(client, NONE)!
    it.answered(client, endpoint)
    return endpoint.text.slice(9, -5)
  })
}

describe('without stickiness', () => {
  test('endpoints take turns', () => {
    expect(take(chooser(ends(1, 2, 3)).it, 'a', 7).join('')).toBe('1231231')
  })

  test('an endpoint that failed is asked last, for a while', () => {
    const { it, state } = chooser(ends(1, 2))
    it.failed(end(2))
    expect(take(it, 'a', 3).join('')).toBe('111')
    expect(it.choose('a', new Set([end(1).text]))).toEqual(end(2))
    state.now += 5000
    expect(take(it, 'a', 4)).toContain('2')
  })

  test('an endpoint that failed and answers is as good as any', () => {
    const { it } = chooser(ends(1, 2))
    it.failed(end(2))
    it.answered('a', end(2))
    expect(take(it, 'a', 4).filter(name => name === '2')).toHaveLength(2)
  })

  test('where all have failed, all are asked', () => {
    const { it } = chooser(ends(1, 2))
    it.failed(end(1))
    it.failed(end(2))
    expect([it.choose('a', NONE), it.choose('a', NONE)]).toEqual(ends(1, 2))
  })

  test('an endpoint that has been tried is not asked again, and none is left in the end', () => {
    const { it } = chooser(ends(1, 2))
    expect(it.choose('a', new Set([end(1).text]))).toEqual(end(2))
    expect(it.choose('a', new Set([end(1).text, end(2).text]))).toBeUndefined()
  })

  test('no client is remembered', () => {
    const { it, state } = chooser(ends(1))
    take(it, 'a', 3)
    expect(state.shared).toEqual([])
    expect(it.remembered).toBe(0)
  })
})

describe('with stickiness', () => {
  test('a client stays where it is while others come', () => {
    const { it, sticky } = chooser(ends(1), 100)
    take(it, 'a', 1)
    it.update({ endpoints: ends(1, 2, 3, 4, 5, 6, 7), ...sticky })
    expect(new Set(take(it, 'a', 20))).toEqual(new Set(['1']))
  })

  test('each time it comes its time begins anew, and at the end of it it is a new client', () => {
    const { it, state, sticky } = chooser(ends(1), 100)
    take(it, 'a', 1)
    it.update({ endpoints: ends(1, 2, 3, 4, 5, 6, 7), ...sticky })
    const elsewhere = favourite('a', ends(1, 2, 3, 4, 5, 6, 7)).text.slice(9, -5)
    expect(elsewhere).not.toBe('1')
    for (let i = 0; i < 3; i++) {
      state.now += 100_000
      expect(take(it, 'a', 1)).toEqual(['1'])
    }
    state.now += 100_001
    expect(take(it, 'a', 1)).toEqual([elsewhere])
  })

  test('a client whose endpoint goes finds another, and stays there', () => {
    const { it, sticky } = chooser(ends(1, 2, 3), 100)
    const [first] = take(it, 'a', 1)
    it.update({ endpoints: ends(...[1, 2, 3].filter(n => String(n) !== first)), ...sticky })
    const [second] = take(it, 'a', 1)
    expect(second).not.toBe(first)
    it.update({ endpoints: ends(1, 2, 3), ...sticky })
    expect(take(it, 'a', 1)).toEqual([second])
  })

  test('a client whose endpoint does not answer is remembered with the one that did', () => {
    const { it } = chooser(ends(1, 2), 100)
    const first = it.choose('a', NONE)!
    it.failed(first)
    const second = it.choose('a', new Set([first.text]))!
    it.answered('a', second)
    expect(it.choose('a', NONE)).toEqual(second)
  })

  test('what another worker reports counts, and of two reports the later one', () => {
    const { it, state } = chooser(ends(1, 2, 3), 100)
    it.remember({ client: 'a', endpoint: end(2).text, at: state.now })
    it.remember({ client: 'a', endpoint: end(3).text, at: state.now - 1 })
    expect(it.choose('a', NONE)).toEqual(end(2))
    it.remember({ client: 'a', endpoint: end(1).text, at: state.now + 1 })
    expect(it.choose('a', NONE)).toEqual(end(1))
  })

  test('a client is shared with the others at once, and then now and then', () => {
    const { it, state } = chooser(ends(1), 100)
    take(it, 'a', 5)
    expect(state.shared).toHaveLength(1)
    state.now += 9999
    take(it, 'a', 1)
    expect(state.shared).toHaveLength(1)
    state.now += 1
    take(it, 'a', 5)
    expect(state.shared.map(({ at }) => at)).toEqual([1_000_000, 1_010_000])
  })

  test('those whose time is over are forgotten', () => {
    const { it, state } = chooser(ends(1), 100)
    take(it, 'a', 1)
    state.now += 50_000
    take(it, 'b', 1)
    state.now += 60_000
    it.purge()
    expect(it.remembered).toBe(1)
  })
})

describe('the favourite of a client', () => {
  const clients = Array.from({ length: 3000 }, (_, i) => `10.1.${i >> 8}.${i & 255}`)

  test('is spread evenly over endpoints', () => {
    const counts = Map.groupBy(clients, client => favourite(client, ends(1, 2, 3)).text)
    for (const { length } of counts.values()) expect(Math.abs(length - 1000)).toBeLessThan(120)
  })

  test('is lost only by the clients of an endpoint that goes', () => {
    for (const client of clients) {
      const before = favourite(client, ends(1, 2, 3))
      if (before.text !== end(3).text) expect(favourite(client, ends(1, 2))).toEqual(before)
    }
  })

  test('does not depend on the order of endpoints', () => {
    for (const client of clients.slice(0, 100))
      expect(favourite(client, ends(3, 1, 2))).toEqual(favourite(client, ends(1, 2, 3)))
  })
})
