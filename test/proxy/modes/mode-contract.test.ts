import { iptables } from '#proxy/modes/iptables/index.ts'
import { nftables } from '#proxy/modes/nftables/index.ts'
import { modeContract } from '../../contracts/mode.ts'

modeContract('nftables', family => nftables({ family, chainRemoval: 'at-once' }))

modeContract(
  'iptables',
  family => iptables({ family, variant: 'nft', restore: 'iptables-restore', save: 'iptables-save' }),
  {
    'an undefined port of a cluster IP is refused':
      'as in kube-proxy, nothing in this mode knows which addresses are cluster IPs',
    'the node itself is refused at an external address without endpoints':
      'as in kube-proxy, KUBE-EXTERNAL-SERVICES is asked about what comes in or passes, not about what the node sends',
  },
)
