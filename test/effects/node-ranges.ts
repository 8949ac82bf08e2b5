import { expect } from 'vitest'
import { problems } from '../config/parsing.ts'
import { ControlledCluster } from '../ranges/controller/controlled.ts'
import { ranges } from '../ranges/overview/cluster-on-http.ts'
import { ask, freePort } from '../support/local-ports.ts'
import type { Effects } from './effect.ts'

// What the controller of node ranges does, by its flags.

const ONE = '--cluster-cidr=10.244.0.0/20'
const DUAL = '--cluster-cidr=10.244.0.0/16,fd00:10:244::/48'
const ELECT = '--leader-elect=true'

export const NODE_RANGES: Effects = {
  'allocate-node-cidrs': async () => {
    expect(await problems({ verb: 'ranges', argv: ['--allocate-node-cidrs=false'] })).toEqual([
      '--allocate-node-cidrs: invalid value false: the controller does nothing else; must be true, or left out',
    ])
  },
  'node-cidr-mask-size': async () => expect(await given(ONE, '--node-cidr-mask-size=26')).toEqual(['10.244.0.0/26']),
  'node-cidr-mask-size-ipv4': async () =>
    expect(await given(DUAL, '--node-cidr-mask-size-ipv4=26')).toEqual(['10.244.0.0/26', 'fd00:10:244::/64']),
  'node-cidr-mask-size-ipv6': async () =>
    expect(await given(DUAL, '--node-cidr-mask-size-ipv6=60')).toEqual(['10.244.0.0/24', 'fd00:10:244::/60']),
  'node-cidr-cooldown': async () => {
    const [soon, late] = [await returnsAfter('10s'), await returnsAfter('40s')]
    expect([soon >= 10_000 && soon < 30_000, late >= 40_000 && late < 70_000]).toEqual([true, true])
  },
  'service-node-port-range': async () => {
    expect((await ranges('plan', ONE)).text).toContain('30000-32767')
    expect((await ranges('plan', ONE, '--service-node-port-range=40000-40099')).text).toMatch(
      /^node ports +40000-40099 +100 /m,
    )
  },
  'max-pods': async () => {
    expect((await ranges('plan', ONE, '--max-pods=300')).text).toContain('253 addresses for 300 pods')
  },
  nodes: async () => expect((await ranges('plan', ONE, '--nodes=17')).text).toContain('16 fit, 17 are wanted'),
  'leader-elect': () =>
    inCluster(async cluster => {
      const flags = ['--leader-elect-lease-duration=1h', ONE]
      cluster.join('a')
      await cluster.controller(ELECT, ...flags)
      await cluster.served('a')
      const second = await cluster.controller(ELECT, ...flags)
      await cluster.until(() => second.lines.some(line => line.includes('Another process leads')))
      expect(cluster.lease).toMatchObject({ holderIdentity: 'controller-1' })
      const third = await cluster.controller('--leader-elect=false', ...flags)
      await cluster.until(() => third.lines.some(line => line.includes('Caches are synced')))
      expect(third.lines.join()).not.toContain('lease')
    }),
  'leader-elect-lease-duration': () =>
    inCluster(async cluster => {
      await cluster.controller(ELECT, '--leader-elect-lease-duration=40s', ONE)
      await cluster.until(() => cluster.lease !== undefined)
      expect(cluster.lease).toMatchObject({ leaseDurationSeconds: 40 })
    }),
  'leader-elect-renew-deadline': async () => {
    const [soon, late] = [await stopsAfter('4s'), await stopsAfter('9s')]
    expect([soon >= 2000 && soon < 7000, late >= 7000 && late < 12_500]).toEqual([true, true])
  },
  'leader-elect-retry-period': async () => {
    const [often, seldom] = [await renewals('1s'), await renewals('8s')]
    expect(often).toBeGreaterThan(8)
    expect(seldom).toBeLessThan(4)
  },
  'leader-elect-resource-lock': async () => {
    expect(await problems({ verb: 'ranges', argv: ['--leader-elect-resource-lock=endpoints'] })).toEqual([
      '--leader-elect-resource-lock: invalid value "endpoints": must be leases',
    ])
  },
  'leader-elect-resource-name': () =>
    inCluster(async cluster => {
      await cluster.controller(ELECT, '--leader-elect-resource-name=mine', ONE)
      await cluster.until(() => cluster.lease !== undefined)
      expect(cluster.store.list('Lease')[0]?.metadata.name).toBe('mine')
    }),
  'leader-elect-resource-namespace': () =>
    inCluster(async cluster => {
      cluster.store.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'net' } })
      cluster.join('a')
      await cluster.controller(ELECT, '--leader-elect-resource-namespace=net', ONE)
      await cluster.served('a')
      const kept = ['Lease', 'ConfigMap'].map(kind => cluster.store.list(kind)[0]?.metadata.namespace)
      expect(kept).toEqual(['net', 'net'])
    }),
  'ranges-metrics-bind-address': () =>
    inCluster(async cluster => {
      const port = await freePort()
      await cluster.controller(`--ranges-metrics-bind-address=127.0.0.1:${port}`, ONE)
      const status = async (path: string): Promise<number> =>
        (await ask(port, path).catch(() => ({ status: 0 }))).status
      await cluster.until(async () => (await status('/metrics')) === 200)
      expect([await status('/healthz'), await status('/livez'), await status('/else')]).toEqual([200, 200, 404])
    }),
}

async function inCluster<T>(work: (cluster: ControlledCluster) => Promise<T>): Promise<T> {
  const cluster = await ControlledCluster.start()
  try {
    return await work(cluster)
  } finally {
    await cluster.close()
  }
}

function given(...flags: readonly string[]): Promise<readonly string[]> {
  return inCluster(async cluster => {
    cluster.join('a')
    await cluster.controller(...flags)
    await cluster.served('a')
    return cluster.podCIDRs('a')
  })
}

/** Of the only block there is. */
function returnsAfter(cooldown: string): Promise<number> {
  return inCluster(async cluster => {
    cluster.join('a')
    await cluster.controller('--cluster-cidr=10.244.0.0/24', `--node-cidr-cooldown=${cooldown}`)
    await cluster.served('a')
    cluster.leave('a')
    cluster.join('b')
    const since = cluster.clock.now()
    await cluster.served('b')
    return cluster.clock.now() - since
  })
}

/** An API server that is away, until the leader stops. */
function stopsAfter(deadline: string): Promise<number> {
  return inCluster(async cluster => {
    const { lines } = await cluster.controller(ELECT, `--leader-elect-renew-deadline=${deadline}`, ONE)
    await cluster.until(() => lines.some(line => line.includes('Caches are synced')))
    const back = cluster.server.inject({ do: 'status', code: 503, resource: 'leases' })
    const since = cluster.clock.now()
    await cluster.until(() => lines.some(line => line.includes('Stopped leading')))
    const took = cluster.clock.now() - since
    back()
    return took
  })
}

/** In twenty seconds. */
function renewals(period: string): Promise<number> {
  return inCluster(async cluster => {
    await cluster.controller(ELECT, `--leader-elect-retry-period=${period}`, ONE)
    await cluster.until(() => cluster.lease !== undefined)
    const count = (): number =>
      cluster.server.requests.filter(({ path, method }) => /leases/.test(path) && method === 'PATCH').length
    const before = count()
    await cluster.pass(20_000)
    return count() - before
  })
}
