import { beforeEach, describe, expect, test } from 'vitest'
import { RoutePicture } from '#cni/daemon/page/route-picture.ts'
import { keepNodeRoutes, type NodeRoutesParts } from '#cni/daemon/routes/node-routes.ts'
import type { PodRangesSettings } from '#config/settings.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { PaperRouting } from '#lab/paper/routing.ts'
import { ROUTE_PROTOCOL } from '#routes/plan/route-plan.ts'
import { NetworkRefused } from '#system/network/network.ts'
import { RouteMetrics } from '#telemetry/numbers/routes.ts'
import { accepted } from '../../../config/parsing.ts'
import { type CapturedLog, captureLog } from '../../../support/captured-log.ts'
import { cidr, ip } from '../../../support/objects.ts'

// Whether routes are kept at all; what is kept then is tried with nodes and an API server in kernel/pods/routes.

let routing: PaperRouting
let kernel: PaperKernel
let captured: CapturedLog
beforeEach(() => {
  routing = new PaperRouting()
  routing.plug('eth0', { address: ip('10.0.0.1'), prefixLength: 24 })
  kernel = new PaperKernel()
  captured = captureLog()
})

/** Resolves by itself where there is nothing to keep. */
async function keep(from: PodRangesSettings['from'], routes: string, more: Partial<NodeRoutesParts> = {}) {
  const { settings } = await accepted({ verb: 'pods', argv: [`--routes=${routes}`] })
  await keepNodeRoutes({
    ...{ settings, shares: { from } as NodeRoutesParts['shares'], api: undefined },
    machine: { networks: { open: async () => routing.network }, grants: () => Promise.reject(new Error('not asked')) },
    ...{ kernel, clock: new PaperClock(), log: captured.log, metrics: new RouteMetrics(), picture: new RoutePicture() },
    ...{ signal: new AbortController().signal, ...more },
  })
  return captured.lines
}

const lay = () =>
  routing.foreign({
    destination: cidr('10.244.2.0/24'),
    gateway: ip('10.0.0.2'),
    link: 'eth0',
    protocol: ROUTE_PROTOCOL,
  })
const laid = () => routing.table.filter(route => route.includes(`proto ${ROUTE_PROTOCOL}`))

describe('where routes are off', () => {
  test('those of a daemon with other settings are taken away, and no other', async () => {
    lay()
    routing.foreign({ destination: cidr('10.99.0.0/16'), gateway: ip('10.0.0.9'), link: 'eth0' })
    expect(await keep('node', 'off')).toEqual(['"Removed 1 route to other nodes."'])
    expect([laid(), routing.table.some(route => route.startsWith('10.99.0.0/16'))]).toEqual([[], true])
  })

  test('and there are none, nothing is said', async () => {
    expect(await keep('config', 'off')).toEqual([])
  })

  test.each([
    [new Error('nft exited with 1: not permitted'), '"Left rules: nft exited with 1: not permitted."'],
    [new NetworkRefused('EPERM', 'not permitted'), '"Left routes to other nodes, if there are any: not permitted."'],
  ])('what cannot be taken away ends no daemon, and is said: %s', async (error, says) => {
    const unasked = () => Promise.reject(new Error('not asked'))
    const machine = { networks: { open: () => Promise.reject(error) }, grants: unasked }
    expect(await keep('node', 'off', { machine })).toEqual([says])
  })
})

describe('where routes are kept', () => {
  test.each([
    ['config', 'on'],
    ['node', 'auto'],
    ['node', 'on'],
  ] as const)('with ranges from %s and routes %s, an API server is needed', async (from, routes) => {
    lay()
    expect(await keep(from, routes)).toEqual([
      `"Routes to other nodes are not kept: no API server is configured" routes="${routes}"`,
    ])
    expect(laid()).toHaveLength(1)
  })

  test('a network whose ranges are in its configuration has none by itself', async () => {
    lay()
    expect([await keep('config', 'auto'), laid().length]).toEqual([[], 1])
  })
})
