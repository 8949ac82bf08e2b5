import { describe, expect, test } from 'vitest'
import { dataPlane } from '#proxy/agent/data-plane.ts'
import { settings } from '../../config/parsing.ts'
import { ObedientKernel } from '../../effects/obedient-kernel.ts'
import { captureLog } from '../../support/captured-log.ts'

async function planeUntil(signal: AbortSignal, mode = 'userspace') {
  let [made, stopped] = [0, 0]
  const kernel = new ObedientKernel()
  const plane = dataPlane({
    ...{ settings: await settings(`--proxy-mode=${mode}`), kernel, log: captureLog().log, lost: () => {}, signal },
    relayOf: () => {
      made++
      return { list: () => [], open: async () => {}, close: async () => [], stop: async () => void stopped++ }
    },
  })
  return { kernel, plane, ends: () => [made, stopped] }
}

describe('the relay of userspace mode', () => {
  test('ends with the agent', async () => {
    const stop = new AbortController()
    const { ends } = await planeUntil(stop.signal)
    expect(ends()).toEqual([1, 0])
    stop.abort()
    expect(ends()).toEqual([1, 1])
  })

  test('ends at once where the agent was to end before it was there', async () => {
    const { ends } = await planeUntil(AbortSignal.abort())
    expect(ends()).toEqual([1, 1])
  })

  test('is not there in another mode', async () => {
    const { kernel, plane, ends } = await planeUntil(new AbortController().signal, 'nftables')
    expect([plane === kernel, ends()]).toEqual([true, [0, 0]])
  })
})
