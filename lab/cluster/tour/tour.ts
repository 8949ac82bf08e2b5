import { answeredBy } from './answered-by.ts'
import { showChanges } from './changes.ts'
import { rulesOf } from './rules.ts'
import type { TourParts } from './tour-parts.ts'

// A cluster whose Services answer → what a newcomer should see of it, each step a command that they can repeat.

export async function showTour(parts: TourParts): Promise<void> {
  await showNodes(parts)
  await showPods(parts)
  await showService(parts)
  await showChanges(parts)
}

async function showNodes({ cluster, guide, words, ipam }: TourParts): Promise<void> {
  const count = cluster.nodes.length === 1 ? 'One node' : `${cluster.nodes.length} nodes`
  const ranges =
    ipam === 'ring'
      ? 'They divide one range among themselves, as Weave does.'
      : 'Each has a range of addresses for its pods, and routes to those of the others.'
  await guide.show({
    say: `${count}, with the agent and the daemon of Switchyard on each. ${ranges}`,
    command: words.nodes,
  })
  if (ipam === 'ring') {
    await guide.show({ command: `grep ipalloc-range ${cluster.nodes[0]!.folders.daemonLog}` })
    await guide.show({ command: 'node-1 switchyard ipam status' })
  }
  await guide.show({ command: 'node-1 ip route' })
}

async function showPods({ cluster, guide, words, arrived, ipam }: TourParts): Promise<void> {
  const { database } = arrived
  await guide.show({ say: 'Pods come by CNI: an address of their node, and a gateway.', command: words.pods })
  await guide.show({ command: words.inPod(database, 'ip address show eth0') })
  await guide.show({ command: words.inPod(database, 'ip route') })
  const configuration = `${cluster.nodes[0]!.folders.netD}/10-switchyard.conflist`
  await guide.show({
    say: 'The daemon has written the configuration of the network; "ipam" names no range, so it is that of the node.',
    command: `grep -A 6 '"ipam"' ${configuration}`,
  })
  await guide.show({
    say: 'Which pod has which address, whether or not anything runs:',
    command: 'node-1 switchyard ipam ls',
  })
  if (ipam !== 'node') return
  // No object says which it is.
  const { nodePorts } = cluster.services
  const flag = nodePorts === undefined ? '' : ` --service-node-port-range=${nodePorts}`
  await guide.show({ say: 'And all ranges of the cluster:', command: `switchyard ranges${flag}`, most: 20 })
}

async function showService({ cluster, guide, words, arrived, mode }: TourParts): Promise<void> {
  const { clusterIP, nodePort, web } = arrived
  const log = cluster.nodes[0]!.folders.agentLog
  await guide.show({ say: 'Services have addresses that no interface has.', command: words.services })
  await guide.show({
    say: 'The agent has written rules for them, so a pod, and a client beyond the cluster, are answered by a pod.',
    command: words.inPod(web[0]!, `ask ${clusterIP} 3306`),
    ...answeredBy('db'),
  })
  await guide.show({ command: `outside ask ${cluster.nodes[0]!.ip4} ${nodePort}`, ...answeredBy('web') })
  await guide.show({ command: rulesOf(mode, { clusterIP, nodePort, node: cluster.nodes[0]!.ip4 }).ofDatabase })
  await guide.show({
    say: 'Its log has the words of kube-proxy.',
    command: `grep -oE 'Using .* Proxier.|Adding new service "default/db-service.*' ${log}`,
  })
}
