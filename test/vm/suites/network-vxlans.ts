import { commandNetworks } from '#cni/network/networks.ts'
import { netlinkNetworks } from '#system/network/netlink-networks.ts'
import type { Networks } from '#system/network/network.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { Ground } from '../../contracts/network/ground.ts'
import { VXLAN_CHECKS } from '../../contracts/network/vxlans.ts'
import { type Suite, suite } from '../suite.ts'

// VXLAN links and their tunnels over netlink and by commands, on a kernel that has them.

export const vxlansOverNetlink = vxlans('VXLAN over netlink', () => netlinkNetworks()!)
export const vxlansByCommands = vxlans('VXLAN by commands', () => commandNetworks(hostKernel()))

function vxlans(title: string, networks: () => Networks): Suite {
  return suite(title, {
    open: async () => undefined,
    close: async () => {},
    checks: Object.fromEntries(
      Object.entries(VXLAN_CHECKS).map(([check, run]) => [
        check,
        async () => {
          const ground = await Ground.open(networks())
          await run(ground).finally(() => ground.end())
        },
      ]),
    ),
  })
}
