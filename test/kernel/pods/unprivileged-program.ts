import { commandNetworks } from '#cni/network/networks.ts'
import { netlinkNetworks } from '#system/network/netlink-networks.ts'
import type { NamespaceNetwork, Networks } from '#system/network/network.ts'
import { hostKernel } from '#system/processes/kernel.ts'

// What a process without rights is answered: `… netlink|commands PATH` prints a line for each attempt.

const [way, path = ''] = process.argv.slice(2)
const networks: Networks = way === 'netlink' ? netlinkNetworks()! : commandNetworks(hostKernel())

async function attempt(change: () => Promise<unknown>): Promise<void> {
  const said = await change().then(
    () => 'done',
    ({ name, code }: { readonly name: string; readonly code: string }) => `${name} ${code}`,
  )
  console.log(said)
}

const own: NamespaceNetwork = await networks.open()
await attempt(() => networks.open(path))
await attempt(() => own.links())
await attempt(() => own.addBridge('never0', {}))
await attempt(() => own.changeLink('lo', { mtu: 1400 }))
await attempt(() => own.addVeth({ name: 'never1' }, { name: 'never2' }))
