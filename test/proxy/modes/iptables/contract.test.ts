import { iptables } from '#proxy/modes/iptables/index.ts'
import { modeContract } from '../../../contracts/mode.ts'
import { TOOLS } from '../userspace/tools.ts'
import { iptablesWorld } from '../worlds.ts'

modeContract('iptables', {
  modeOf: family => iptables(TOOLS[family]),
  worldOf: family => iptablesWorld(family),
  exceptions: {
    'an undefined port of a cluster IP is refused':
      'as in kube-proxy, nothing in this mode knows which addresses are cluster IPs',
    'the node itself is refused at an external address without endpoints':
      'as in kube-proxy, KUBE-EXTERNAL-SERVICES is asked about what comes in or passes, not about what the node sends',
  },
})
