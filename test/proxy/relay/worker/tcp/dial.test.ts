import { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { PoolEndpoint } from '#proxy/relay/messages.ts'
import { Chooser } from '#proxy/relay/worker/chooser.ts'
import { type DialFailure, dial } from '#proxy/relay/worker/tcp/dial.ts'

const end = (n: number): PoolEndpoint => ({ ip: `10.244.1.${n}`, port: 8080, text: `10.244.1.${n}:8080` })
const SOCKET = new Socket()

/** What each endpoint does, by its number; the last entry counts for ever. */
type World = Readonly<Record<number, readonly (DialFailure | 'answers')[]>>

function dialing(numbers: readonly number[], world: World) {
  let turn = 0
  const attempts: string[] = []
  const asked = new Map<number, number>()
  const chooser = new Chooser({
    pool: { endpoints: numbers.map(end) },
    turn: () => turn++,
    now: () => 0,
    share: () => {},
  })
  const connect = async ({ ip }: PoolEndpoint, patienceMs: number): Promise<Socket | DialFailure> => {
    const n = Number(ip.split('.').at(-1))
    const words = world[n]!
    const time = asked.get(n) ?? 0
    asked.set(n, time + 1)
    attempts.push(`${n}@${patienceMs}`)
    const word = words[Math.min(time, words.length - 1)]!
    return word === 'answers' ? SOCKET : word
  }
  return { chooser, attempts, outcome: () => dial({ chooser, client: 'a', connect }) }
}

describe('dialing', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('an endpoint that answers is asked once', async () => {
    const { outcome, attempts } = dialing([1, 2], { 1: ['answers'], 2: ['answers'] })
    expect(await outcome()).toBe(SOCKET)
    expect(attempts).toEqual(['1@250'])
  })

  test('each further endpoint is given more time', async () => {
    const silent = { 1: ['silent'], 2: ['silent'], 3: ['silent'], 4: ['answers'] } as const
    const { outcome, attempts } = dialing([1, 2, 3, 4], silent)
    expect(await outcome()).toBe(SOCKET)
    expect(attempts.map(attempt => attempt.split('@')[1])).toEqual(['250', '500', '1000', '2000'])
    expect(new Set(attempts.map(attempt => attempt.split('@')[0])).size).toBe(4)
  })

  test('a single one that stays silent is asked four times', async () => {
    const { outcome, attempts } = dialing([1], { 1: ['silent'] })
    expect(await outcome()).toBeUndefined()
    expect(attempts).toEqual(['1@250', '1@500', '1@1000', '1@2000'])
  })

  test('among very many that stay silent no client waits for more than a minute', async () => {
    const numbers = Array.from({ length: 100 }, (_, i) => i + 1)
    const world = Object.fromEntries(numbers.map(n => [n, ['silent'] as const]))
    const { outcome, attempts } = dialing(numbers, world)
    expect(await outcome()).toBeUndefined()
    expect(attempts).toHaveLength(3 + 30)
  })

  test('as long as one of many lives, it is found', async () => {
    const world = {
      1: ['refused'],
      2: ['refused'],
      3: ['silent'],
      4: ['refused'],
      5: ['refused'],
      6: ['answers'],
    } as const
    for (let start = 0; start < 6; start++) {
      const { outcome, chooser } = dialing([1, 2, 3, 4, 5, 6], world)
      for (let i = 0; i < start; i++) chooser.choose('other', new Set())
      expect(await outcome()).toBe(SOCKET)
    }
  })

  test('where all refuse, all are asked once more a moment later, and then the client is sent away', async () => {
    const { outcome, attempts } = dialing([1, 2], { 1: ['refused'], 2: ['refused'] })
    const found = outcome()
    await vi.advanceTimersByTimeAsync(249)
    expect(attempts.toSorted()).toEqual(['1@250', '2@500'])
    await vi.advanceTimersByTimeAsync(1)
    expect(await found).toBeUndefined()
    expect(attempts.toSorted()).toEqual(['1@1000', '1@250', '2@2000', '2@500'].toSorted())
  })

  test('another endpoint that comes within that moment is tried at once', async () => {
    const { outcome, chooser, attempts } = dialing([1], { 1: ['refused'], 2: ['answers'] })
    const found = outcome()
    await vi.advanceTimersByTimeAsync(20)
    chooser.update({ endpoints: [end(2)] })
    expect(await found).toBe(SOCKET)
    expect(attempts).toEqual(['1@250', '2@500'])
  })

  test('where nothing can be tried from here, no endpoint is blamed', async () => {
    const { outcome, chooser } = dialing([1], { 1: ['ours'] })
    expect(await outcome()).toBeUndefined()
    expect(chooser.choose('a', new Set())).toEqual(end(1))
  })

  test('a pool that is empty by now is given a moment, too', async () => {
    const { outcome, chooser } = dialing([1], { 1: ['answers'] })
    chooser.update({ endpoints: [] })
    const found = outcome()
    await vi.advanceTimersByTimeAsync(20)
    chooser.update({ endpoints: [end(1)] })
    expect(await found).toBe(SOCKET)
  })
})
