import { cannotRun } from '../../namespace.ts'
import { cannotCompile } from '../shim.ts'
import type { RuntimeNode, RuntimePod } from './runtime-node.ts'

// The network of the pods of containerd, and many of them.

export const NETWORK = {
  cniVersion: '1.0.0',
  name: 'pods',
  plugins: [
    {
      ...{ type: 'bridge', bridge: 'cni0', isGateway: true, ipMasq: true },
      ipam: { type: 'host-local', subnet: '10.244.0.0/24', routes: [{ dst: '0.0.0.0/0' }] },
    },
    { type: 'switchyard', plugin: 'portmap', capabilities: { portMappings: true } },
  ],
}

export function cannotRunPods(): string | undefined {
  return cannotRun('containerd', 'ctr', 'runc', 'busybox', 'iptables', 'nsenter', 'unshare') ?? cannotCompile()
}

/** All at once. */
export function manyPods(node: RuntimeNode, count: number, name = 'pod'): Promise<readonly RuntimePod[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => node.run(`${name}-${i}`)))
}
