import { expect, test } from 'vitest'
import { CallHistory } from '#cni/daemon/page/call-history.ts'
import type { CallSummary } from '#cni/daemon/summary.ts'

const call: CallSummary = {
  ...{ command: 'ADD', plugin: 'bridge', network: 'mynet', container: 'c1', ifname: 'eth0', netns: undefined },
  ...{ pod: 'shop/web-1', ips: ['10.9.0.2/29'], failure: undefined },
}
const work = { tookMs: 3, waitedMs: 0 }

test('keeps the last calls that change something, and every one that failed', () => {
  const history = new CallHistory()
  history.record(call, work, 1)
  history.record({ ...call, command: 'STATUS' }, work, 2)
  const failure = { code: 11, message: 'no address is free', details: 'in 10.9.0.0/29' }
  history.record({ ...call, command: 'CHECK', ips: undefined, failure }, work, 3)
  expect(history.calls()).toEqual([
    {
      ...{ at: 3, command: 'CHECK', plugin: 'bridge', network: 'mynet', container: 'c1', pod: 'shop/web-1', ips: [] },
      ...{ ...work, failure: 'no address is free: in 10.9.0.0/29' },
    },
    {
      ...{ at: 1, command: 'ADD', plugin: 'bridge', network: 'mynet', container: 'c1', pod: 'shop/web-1' },
      ...{ ips: ['10.9.0.2/29'], ...work },
    },
  ])
})

test('is short, whatever happens', () => {
  const history = new CallHistory()
  for (let at = 0; at < 500; at++) history.record(call, work, at)
  expect(history.calls().map(({ at }) => at)).toEqual(Array.from({ length: 100 }, (_, i) => 499 - i))
})
