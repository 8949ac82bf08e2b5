import { describe } from 'vitest'
import { netlinkNetworks } from '#system/network/netlink-networks.ts'
import { pathOf } from '../contracts/network/ground.ts'
import { type RoutingUnderTest, routingContract } from '../contracts/routing.ts'
import { cannotRun, newNamespace } from './namespace.ts'

// The cases that the network of a node on paper passes, on a real one over netlink; commands
// do the same as netlink, by the contract of both.

const reason = cannotRun()

describe.skipIf(reason !== undefined)(`a real node${reason === undefined ? '' : ` (${reason})`}`, () => {
  routingContract(realNode)
})

async function realNode(): Promise<RoutingUnderTest> {
  const namespace = await newNamespace('routing')
  const network = await netlinkNetworks()!.open(pathOf(namespace))
  return {
    network,
    async plug(name, ...addresses) {
      await network.addVeth({ name, state: 'up' }, { name: `${name}-far` })
      await network.changeLink(`${name}-far`, { state: 'up' })
      for (const address of addresses) await network.addAddress(name, { ...address, withoutDad: true })
    },
    async end() {
      network.close()
      await namespace.end()
    },
  }
}
