import { describe, expect, test } from 'vitest'
import { PageFeed } from '#page/feed.ts'
import { paperMode } from '#proxy/agent/fit-mode.ts'
import { explainAnswer } from '#proxy/agent/page/explain.ts'
import { serviceSource } from '#proxy/agent/page/services.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { NO_HOST_NETWORK } from '#proxy/node/host-network.ts'
import { nodeReader } from '#proxy/node/node-view.ts'
import { Draft } from '#proxy/sync/draft.ts'
import { settings } from '../../../config/parsing.ts'
import { ObedientKernel } from '../../../effects/obedient-kernel.ts'
import { smallCluster } from '../../../page/clusters.ts'
import { name } from '../../../support/objects.ts'

// A Service on the page is the same question in every mode: its rules alone, and where a packet to it goes.

async function agentIn(mode: string) {
  const chosen = await settings(`--proxy-mode=${mode}`, '--hostname-override=here')
  const cluster = new Cluster()
  for (const object of smallCluster()) cluster.apply({ type: 'put', object })
  const reader = nodeReader({ settings: chosen, family: 'ipv4', nodeName: 'here', hostNetwork: () => NO_HOST_NETWORK })
  const draft = new Draft(cluster, paperMode(chosen, 'ipv4'), reader)
  draft.touch([...cluster.services()].map(service => service.name))
  draft.update()
  return { cluster, lanes: [{ family: 'ipv4', draft, refused: [] }] } as never
}

describe.each(['iptables', 'nftables', 'ipvs', 'userspace'])('in %s mode', mode => {
  test('the rules of one Service are its own, and none of another', async () => {
    const source = serviceSource(await agentIn(mode), new PageFeed())
    const [family] = source.families(name('shop/web'))
    const text = family!.rules.map(rules => rules.text).join('\n')
    expect(family!.rules.every(({ reader }) => reader !== '')).toBe(true)
    expect(text).toContain('10.96.0.10')
    expect(text).not.toContain('10.96.0.11')
    expect(source.families(name('shop/headless'))).toEqual([{ family: 'ipv4', ports: [], rules: [] }])
  })

  test('a packet to it is explained, and one to a Service without endpoints is refused', async () => {
    const parts = { agent: await agentIn(mode), nodeName: 'here', kernel: new ObedientKernel() }
    const ask = async (to: string) => {
      const answer = await explainAnswer({ from: '10.244.5.5', to }, parts)
      return answer.ok ? answer.targets : answer.problem
    }
    const [target] = (await ask('10.96.0.10:80')) as Exclude<Awaited<ReturnType<typeof ask>>, string>
    expect(target!.ways.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1)
    expect(target!.ways.map(({ end }) => end)).toEqual(['arrives at 10.244.1.2:8080', 'arrives at 10.244.2.3:8080'])
    expect(await ask('shop/web:dns')).toMatchObject([{ to: 'Service shop/web, port dns (10.96.0.10:53/udp)' }])
    expect(await ask('10.96.0.11:80')).toMatchObject([
      { ways: [{ arrives: false, end: 'is refused' }], reason: expect.stringContaining('shop/empty has no endpoints') },
    ])
    expect(await ask('shop/wep')).toBe('TO:PORT: there is no Service "shop/wep"; did you mean shop/web?')
  })
})
