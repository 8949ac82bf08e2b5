import type { ApiObject } from '#lab/api-server/object.ts'

// A node of the cluster → its Node object, as kubelet registers it.

export interface NodeFacts {
  readonly name: string
  readonly addresses: readonly string[]
  /** None: another program gives addresses. */
  readonly podCIDRs: readonly string[]
}

export function nodeObject({ name, addresses, podCIDRs }: NodeFacts): ApiObject {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
    spec: podCIDRs.length === 0 ? {} : { podCIDR: podCIDRs[0], podCIDRs },
    status: {
      addresses: [...addresses.map(address => ({ type: 'InternalIP', address })), { type: 'Hostname', address: name }],
    },
  }
}
