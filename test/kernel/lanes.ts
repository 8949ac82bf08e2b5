import type { ClusterObject } from '#kubernetes/objects.ts'
import { type Lab, openLab, type PodOptions } from '#lab/network/lab.ts'
import { BRIDGE, NODE } from '#lab/network/topology.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Mode } from '#proxy/modes/mode.ts'
import { Lane } from '#proxy/sync/lane.ts'
import { systemClock } from '#system/clock.ts'
import type { Command } from '#system/ports.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import type { Family } from '#values/address.ts'
import { cidr, ip } from '../support/objects.ts'
import { flowsOf } from './flow-ways.ts'

// A mode on the node of a lab, one lane per family: objects go in, and a call returns when the kernel has followed.

const PODS = { ipv4: '10.244.0.0/16', ipv6: 'fd00:244::/32' } as const

export class Lanes {
  readonly lab: Lab
  /** Every command that was run on the node, oldest first. */
  readonly commands: Command[] = []
  readonly #cluster = new Cluster()
  readonly #lanes: readonly Lane[]

  private constructor(lab: Lab, modeOf: (family: Family) => Mode) {
    this.lab = lab
    this.#lanes = lab.families.map(
      family =>
        new Lane({
          family,
          cluster: this.#cluster,
          mode: modeOf(family),
          kernel: {
            run: command => {
              this.commands.push(command)
              return lab.node.kernel.run(command)
            },
          },
          flows: flowsOf(lab.node.namespace),
          clock: systemClock,
          limits: { minMs: 0, retryMs: 1000, unwatchedMs: 3_600_000, distrustMs: 3_600_000 },
          nodeReader: () => nodeFacts(family),
          onReport: () => {},
        }),
    )
  }

  static async open(pods: readonly PodOptions[], modeOf: (family: Family) => Mode): Promise<Lanes> {
    const lab = await openLab(hostKernel(), { pods })
    return new Lanes(lab, modeOf)
  }

  async put(...objects: readonly ClusterObject[]): Promise<void> {
    const touched = objects.flatMap(object => [...this.#cluster.apply({ type: 'put', object }).services])
    for (const lane of this.#lanes) {
      lane.touch(touched)
      const { failure } = await lane.once()
      if (failure !== undefined) throw failure.error
    }
  }

  close(): Promise<void> {
    return this.lab.close()
  }
}

function nodeFacts(family: Family) {
  const key = family === 'ipv4' ? 'ip4' : 'ip6'
  const nodeIP = ip(NODE[key])
  const view: NodeView = {
    family,
    mark: 0x4000,
    localPods: { by: 'cidr', cidr: cidr(PODS[family]) },
    nodePortAddresses: [nodeIP],
    localhostNodePorts: false,
    masquerade: 'from-outside',
    dropInvalid: true,
    endpointComments: true,
    nodeIP,
  }
  const thisNode = { family, nodeName: 'here', masquerade: 'from-outside' as const, nodeIP }
  return { thisNode, view, addresses: [nodeIP, ip(NODE.second[key]), ip(BRIDGE[key])] }
}
