import { expect, test } from 'vitest'
import { PaperClock } from '#lab/paper/clock.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { Lane } from '#proxy/sync/lane.ts'
import type { Report } from '#proxy/sync/report.ts'
import { modeContract } from '../../../contracts/mode.ts'
import { DEFAULT_FLAGS, nodeFacts } from '../../../support/flags.ts'
import { endpoint, ip, service, slice } from '../../../support/objects.ts'
import { paperMode, sheet } from './paper-mode.ts'
import { frontendUnit } from './units.ts'

// A mode that no other file knows keeps all that is promised of modes, and a lane carries it.

modeContract('paper', { modeOf: () => paperMode, worldOf: () => ({ kernel: sheet() }) })

test('a lane keeps the sheet as the cluster is', async () => {
  const [cluster, kernel] = [new Cluster(), sheet()]
  const reports: Report[] = []
  const lane = new Lane({
    ...{ family: 'ipv4', cluster, mode: paperMode, kernel, clock: new PaperClock() },
    limits: { minMs: 0, retryMs: 1, distrustMs: 1e9, unwatchedMs: 1e9 },
    nodeReader: nodeFacts({ flags: DEFAULT_FLAGS, family: 'ipv4', addresses: [] }),
    onReport: report => reports.push(report),
  })
  const cart = service('shop/cart', [ip('10.96.0.10')])
  cluster.apply({ type: 'put', object: cart })
  lane.touch(cluster.apply({ type: 'put', object: slice('shop/a', 'shop/cart', [endpoint('10.244.1.2')]) }).services)
  expect(await lane.once()).toMatchObject({ mode: 'paper', units: { added: 3 } })
  const unit = frontendUnit('tcp', '10.96.0.10', 80)
  expect((await paperMode.read(kernel)).get(unit)).toContain('"cluster":["10.244.1.2:8080"]')
  lane.touch(cluster.apply({ type: 'gone', kind: 'Service', name: cart.name }).services)
  expect(await lane.once()).toMatchObject({ units: { removed: 2 } })
  expect([...(await paperMode.read(kernel)).keys()]).toEqual(['node'])
})
