import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { Engine } from '#system/engine.ts'

test('the state of this process: heap, event loop, and what keeps the loop alive', () => {
  const engine = new Engine()
  const timer = setTimeout(() => {}, 60_000)
  const { heap, loopUtilization, resources } = engine.look()
  clearTimeout(timer)
  expect(heap.usedBytes).toBeGreaterThan(1_000_000)
  expect(heap.totalBytes).toBeGreaterThanOrEqual(heap.usedBytes)
  expect(loopUtilization).toBeGreaterThanOrEqual(0)
  expect(loopUtilization).toBeLessThanOrEqual(1)
  expect(resources.get('Timeout')).toBeGreaterThan(0)
})

test('collections of garbage are heard of, with their kind and how long they took', async () => {
  const seen = new Map<string, number>()
  new Engine().collections((kind, tookMs) => seen.set(kind, tookMs))
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  await expect
    .poll(() => {
      collect()
      return seen.get('major')
    })
    .toBeGreaterThan(0)
})
