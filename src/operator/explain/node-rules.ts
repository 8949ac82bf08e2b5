import type { Invocation } from '#command-line/start.ts'
import type { AskedCluster } from '#explain/service/found.ts'
import { rulesOf } from '#proxy/agent/cluster-rules.ts'
import { modeToRead, needsOf, paperMode } from '#proxy/agent/fit-mode.ts'
import type { Cluster } from '#proxy/cluster/cluster.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Mode, Ruleset } from '#proxy/modes/mode.ts'
import { EndpointComments } from '#proxy/node/endpoint-comments.ts'
import { type HostNetwork, nodeReader } from '#proxy/node/node-view.ts'
import type { Kernel } from '#system/ports.ts'
import type { Address, Family } from '#values/address.ts'

// The rules that a question is answered by: those that a node should have, or those that its kernel has.

export interface NodeRules {
  readonly mode: Mode
  readonly ruleset: Ruleset
  /** The node's own addresses, loopback included. */
  readonly nodeAddresses: readonly Address[]
  /** Absent where no objects are known. */
  readonly asked?: AskedCluster & { readonly view: NodeView }
}

export interface NodeRulesParts {
  readonly settings: Invocation['settings']
  readonly family: Family
  readonly kernel: Kernel
  readonly hostNetwork: HostNetwork
}

/** No objects are known. */
export async function kernelRules(parts: NodeRulesParts): Promise<NodeRules> {
  const { settings, family, kernel, hostNetwork } = parts
  const mode = await modeToRead(settings, family, kernel)
  return { mode, ruleset: await mode.read(kernel), nodeAddresses: hostNetwork.addresses[family] }
}

export interface RulesOfCluster extends NodeRulesParts {
  readonly cluster: Cluster
  readonly nodeName: string
  readonly rules: 'wanted' | 'of the kernel'
}

export async function clusterRules(parts: RulesOfCluster): Promise<NodeRules> {
  const { settings, family, kernel, hostNetwork, cluster, nodeName, rules } = parts
  const facts = nodeReader({
    ...{ settings, family, nodeName, hostNetwork: () => hostNetwork },
    comments: new EndpointComments(),
  })(cluster, 0, needsOf(settings))
  const asked = { cluster, thisNode: facts.thisNode, view: facts.view }
  const nodeAddresses = [...hostNetwork.addresses[family], ...(cluster.node?.addresses ?? [])]
  const drawing = rules === 'wanted' ? paperMode(settings, family) : await modeToRead(settings, family, kernel)
  const wanted = rulesOf(cluster, { settings }, { mode: drawing, family, nodeName, hostNetwork })
  if (rules === 'wanted') return { mode: drawing, ruleset: wanted, nodeAddresses, asked }
  // To whom a listener hands its clients, no kernel knows.
  const listeners = [...wanted].filter(([unit]) => drawing.proxyPorts?.isListener(unit))
  const ruleset = new Map([...listeners, ...(await drawing.read(kernel))])
  return { mode: drawing, ruleset, nodeAddresses, asked }
}
