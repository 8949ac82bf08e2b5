import type { NodeView } from '#proxy/desired/node-view.ts'

// A node about which there is nothing to say.

export const VIEW: NodeView = {
  family: 'ipv4',
  mark: 0x4000,
  nodePortAddresses: 'all',
  localhostNodePorts: true,
  masquerade: 'never',
  dropInvalid: true,
  endpointComments: true,
}
