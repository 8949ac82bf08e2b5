import type { Kernel } from '#system/ports.ts'
import type { KubeletParts } from '../kubelet-parts.ts'
import { ContainerdRuntime } from './containerd/containerd-runtime.ts'
import { NamespacesRuntime } from './namespaces/namespaces-runtime.ts'
import type { PodRuntime } from './pod-runtime.ts'

/** The runtime of a kubelet by its name. `kernel` is the machine's. */
export async function openRuntime({ node, clock, runtime }: KubeletParts, kernel: Kernel): Promise<PodRuntime> {
  const parts = { node, kernel, clock }
  return runtime === 'containerd' ? ContainerdRuntime.start(parts) : new NamespacesRuntime(parts)
}
