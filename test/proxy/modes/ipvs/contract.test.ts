import { PaperKernel } from '#lab/paper/kernel.ts'
import { modeContract } from '../../../contracts/mode.ts'
import { iptablesWorld } from '../worlds.ts'
import { modeOf, OWN } from './scene.ts'

modeContract('ipvs', {
  modeOf: family => modeOf(family),
  worldOf: family => iptablesWorld(family, new PaperKernel({ ipvs: { addresses: OWN[family] } })),
  exceptions: {
    'external policy Local keeps clients from outside on this node, unmasqueraded, and sends pods and the node everywhere':
      'as in kube-proxy, a frontend has one virtual server for all clients: where this node has endpoints, pods and the node go there, too',
    'ipv4: a node inside a source range may come with the load balancer address as its own':
      'the address is one of the node itself, and what comes in from outside with such a source is dropped by IPv4 routing',
  },
})
