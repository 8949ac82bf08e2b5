import { modeContract } from '../../../contracts/mode.ts'
import { relayWorld } from '../worlds.ts'
import { userspaceIn } from './tools.ts'

modeContract('userspace', {
  modeOf: family => userspaceIn(family),
  worldOf: () => relayWorld(),
  isRelayed: true,
  exceptions: {
    'node ports do not answer on loopback':
      'as in kube-proxy 1.20, the listener is on this very node, so 127.0.0.1 is as good as any of its addresses',
    'an undefined port of a cluster IP is refused':
      'as in kube-proxy, nothing in this mode knows which addresses are cluster IPs',
    'the node itself is refused at an external address without endpoints':
      'as in iptables mode: what the node sends elsewhere goes to the host that really has the address',
  },
})
