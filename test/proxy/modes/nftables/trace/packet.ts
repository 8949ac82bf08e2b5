import type { NftPacket } from '#proxy/modes/nftables/trace/fields.ts'
import type { Packet } from '#proxy/modes/trace.ts'
import { ip } from '../../../../support/objects.ts'

// A packet of a pod to a cluster IP, on its way through our table.

export const FROM_POD: Packet = {
  protocol: 'tcp',
  from: ip('10.244.1.7'),
  to: ip('10.96.0.10'),
  port: 80,
  via: { hook: 'prerouting', iface: 'cni0' },
  nodeAddresses: [ip('10.99.0.2')],
}

export function packet(more: Partial<NftPacket> = {}): NftPacket {
  return { packet: FROM_POD, share: 1, hops: [], to: FROM_POD.to, port: FROM_POD.port, state: new Set(), ...more }
}
