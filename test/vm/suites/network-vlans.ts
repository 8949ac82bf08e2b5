import { commandNetworks } from '#cni/network/networks.ts'
import { netlinkNetworks } from '#system/network/netlink-networks.ts'
import type { Networks } from '#system/network/network.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { Ground } from '../../contracts/network/ground.ts'
import { VLAN_CHECKS } from '../../contracts/network/vlans.ts'
import { type Suite, suite } from '../suite.ts'

// VLANs of ports and bridges over netlink and by commands, on a kernel that has them.

export const vlansOverNetlink = vlans('VLANs over netlink', () => netlinkNetworks()!)
export const vlansByCommands = vlans('VLANs by commands', () => commandNetworks(hostKernel()))

function vlans(title: string, networks: () => Networks): Suite {
  return suite(title, {
    open: async () => undefined,
    close: async () => {},
    checks: Object.fromEntries(
      Object.entries(VLAN_CHECKS).map(([check, run]) => [
        check,
        async () => {
          const ground = await Ground.open(networks())
          await run(ground).finally(() => ground.end())
        },
      ]),
    ),
  })
}
