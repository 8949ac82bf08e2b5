import { routeTo } from '#dialects/ip.ts'
import type { SourceParty } from '#explain/names/resolved.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Kernel } from '#system/ports.ts'
import type { Address } from '#values/address.ts'

// A packet that comes to a node → the interface it comes in by.

export interface InterfaceQuestion {
  readonly source: SourceParty
  readonly address: Address
  readonly view: Pick<NodeView, 'localPods'> | undefined
  /** Of the node, where it can be asked. */
  readonly kernel: Kernel | undefined
}

/** A packet is taken to come in where its answer would go out; of a node that cannot be asked, a pod's by what settings say of pods. */
export async function interfaceOf({ source, address, view, kernel }: InterfaceQuestion): Promise<string> {
  if (kernel !== undefined) {
    const { stdout } = await kernel.run(routeTo(address))
    return / dev (\S+)/.exec(stdout)?.[1] ?? OUTWARD
  }
  if (source.pod === undefined) return OUTWARD
  const { localPods } = view ?? {}
  if (localPods?.by === 'interface') return localPods.name
  return localPods?.by === 'interface-prefix' ? `${localPods.prefix}0` : 'cni0'
}

const OUTWARD = 'eth0'
