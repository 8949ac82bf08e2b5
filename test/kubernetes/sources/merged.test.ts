import { expect, test } from 'vitest'
import { merged } from '#kubernetes/sources/merged.ts'

const turn = () => new Promise<void>(resolve => setImmediate(resolve))

/** Notes when it is asked for the next value, and when it is ended. */
async function* counted(name: string, length: number, log: string[]): AsyncGenerator<string> {
  try {
    for (let i = 1; i <= length; i++) {
      yield `${name}${i}`
      log.push(`${name}${i} applied`)
    }
  } finally {
    log.push(`${name} ended`)
  }
}

async function* quiet(signal: AbortSignal, log: string[]): AsyncGenerator<string> {
  await new Promise(resolve => signal.addEventListener('abort', resolve))
  log.push('quiet ended')
  yield* []
}

test('everything arrives, in order within each stream', async () => {
  const log: string[] = []
  const all: string[] = []
  const streams = [counted('a', 50, log), counted('b', 50, log), counted('c', 0, log)]
  for await (const value of merged(streams, new AbortController())) all.push(value)
  expect(all.filter(value => value.startsWith('a'))).toEqual(Array.from({ length: 50 }, (_, i) => `a${i + 1}`))
  expect(all.filter(value => value.startsWith('b'))).toEqual(Array.from({ length: 50 }, (_, i) => `b${i + 1}`))
  expect(all.slice(0, 4).sort()).toEqual(['a1', 'a2', 'b1', 'b2'])
})

test('a stream learns that its value was applied only when the next one is asked for', async () => {
  const log: string[] = []
  const stream = merged([counted('a', 2, log)], new AbortController())
  await stream.next()
  await turn()
  expect(log).toEqual([])
  await stream.next()
  expect(log).toEqual(['a1 applied'])
})

test('a quiet stream delays no other, and is ended when the consumer stops', async () => {
  const log: string[] = []
  const stop = new AbortController()
  for await (const value of merged([quiet(stop.signal, log), counted('a', 3, log)], stop)) {
    if (value === 'a2') break
  }
  expect(log).toEqual(['a1 applied', 'quiet ended', 'a ended'])
})

test('after the stop nothing comes, even if it was there before', async () => {
  const stop = new AbortController()
  const log: string[] = []
  const stream = merged([counted('a', 3, log), counted('b', 3, log)], stop)
  await stream.next()
  await turn()
  stop.abort()
  expect(await stream.next()).toEqual({ done: true, value: undefined })
  expect(log.filter(line => line.endsWith('ended')).sort()).toEqual(['a ended', 'b ended'])
})

test('an error of one ends all', async () => {
  const log: string[] = []
  const stop = new AbortController()
  // biome-ignore lint/correctness/useYield: it has nothing to say but its error
  async function* broken(): AsyncGenerator<string> {
    throw new Error('a mistake of ours')
  }
  const all = async () => {
    for await (const _ of merged([quiet(stop.signal, log), broken()], stop));
  }
  await expect(all()).rejects.toThrow('a mistake of ours')
  expect(log).toEqual(['quiet ended'])
})
