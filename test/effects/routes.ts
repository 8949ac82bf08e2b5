import { expect } from 'vitest'
import { areRoutesKept } from '#cni/daemon/routes/kept.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { MasqueradeKeeper } from '#routes/masquerade/masquerade-keeper.ts'
import type { Command } from '#system/ports.ts'
import { accepted } from '../config/parsing.ts'
import { cidr, FAR, NEAR, RouteStage } from '../routes/stage.ts'
import { captureLog } from '../support/captured-log.ts'
import type { Effects } from './effect.ts'

// Routes to other nodes, and what leaves the cluster.

export const ROUTES: Effects = {
  routes: async () => {
    const kept = async (...flags: readonly string[]) => {
      const { settings } = await accepted({ verb: 'pods', argv: flags })
      return areRoutesKept(settings, settings.podRanges)
    }
    expect([await kept(), await kept('--ranges-from=node'), await kept('--ranges-from=ring')]).toEqual([
      false,
      true,
      true,
    ])
    expect([await kept('--routes=on'), await kept('--ranges-from=node', '--routes=off')]).toEqual([true, false])
  },
  overlay: async () => {
    expect((await laid()).over).toEqual(['node-f'])
    expect((await laid('--overlay=vxlan')).over).toEqual(['node-b', 'node-f'])
    expect((await laid('--overlay=none')).over).toEqual([])
  },
  'overlay-vni': async () => {
    expect((await laid('--overlay-vni=77')).vxlan).toMatchObject({ vni: 77, port: 8472 })
  },
  'overlay-port': async () => {
    expect((await laid('--overlay-port=4789')).vxlan).toMatchObject({ vni: 1, port: 4789 })
  },
  'ip-masq': async () => {
    expect(await programs('--ip-masq=nftables')).toEqual(['nft'])
    expect(await programs('--ip-masq=iptables')).toEqual(['ip6tables-restore', 'iptables-restore'])
    expect(await programs()).toEqual(['nft'])
    expect(await programs('--ip-masq=none')).toEqual([])
  },
}

/** To a node on our link, and to one behind a router. */
async function laid(...flags: readonly string[]) {
  const { settings } = await accepted({ verb: 'pods', argv: flags })
  const stage = new RouteStage()
  stage.settings = settings.routes
  const { plan } = await stage.round(NEAR, FAR)
  const over = new Set(plan.routes.filter(({ isOnLink }) => isOnLink).map(({ node }) => node))
  return { over: [...over], vxlan: (await stage.routing.link('switchyard-vx'))?.vxlan }
}

/** Those that write rules. */
async function programs(...flags: readonly string[]): Promise<readonly string[]> {
  const { settings } = await accepted({ verb: 'pods', argv: flags })
  const written: string[] = []
  const run = async ({ argv, does }: Command) => {
    if (does === 'write' || does === 'restore') written.push(argv[0])
    return does === 'look' ? { code: 1, stdout: '', stderr: '' } : { code: 0, stdout: '', stderr: '' }
  }
  const { log } = captureLog()
  const choice = settings.routes.masquerade
  const keeper = new MasqueradeKeeper({ choice, kernel: { run }, clock: new PaperClock(), log, observed: () => {} })
  const [own, cluster] = [
    ['10.244.1.0/24', 'fd00:244:1::/64'],
    ['10.244.0.0/16', 'fd00:244::/32'],
  ].map(ranges => ranges.map(cidr))
  await keeper.keep({ own: own!, cluster: cluster! })
  return written.toSorted()
}
