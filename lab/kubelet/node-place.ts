import type { Kernel } from '#system/ports.ts'

// A node of the lab: the network namespace it lives in, and the folder that stands for its disk.

export interface NodePlace {
  readonly name: string
  /** Of its network namespace, as `ip netns` lists it. Those of its pods begin with it and a dash. */
  readonly namespace: string
  readonly ip4: string
  readonly ip6?: string
  /** Commands run here act inside the node's network namespace. */
  readonly kernel: Kernel
  /**
   * `cni/net.d` has the network configuration, `bin` the executables of plugins that are not ours (it may be absent), and
   * `run/switchyard/cni.sock` is where the daemon of the node listens. The kubelet keeps results of CNI below `lib/cni` and the
   * logs of containers below `log`. The daemon must see this folder and /run/netns under these same paths.
   */
  readonly folder: string
}

/** Where the daemon of the node listens, as seen from here. */
export function daemonSocket({ folder }: NodePlace): string {
  return `${folder}/run/switchyard/cni.sock`
}

export function networkFolder({ folder }: NodePlace): string {
  return `${folder}/cni/net.d`
}
