import { calm, filtersBridges, forwards } from '#lab/network/host-settings.ts'
import { addNamespaces, inNamespace, ipLines } from '#lab/network/namespaces.ts'
import { must } from '#system/must.ts'
import type { Kernel } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import * as link from './link.ts'

// The link between the nodes, and a node that is plugged into it.

/** In which families, is what the kernel has. */
export async function openLink(kernel: Kernel, namespace: string): Promise<readonly Family[]> {
  await addNamespaces(kernel, [namespace])
  const outside = inNamespace(kernel, namespace)
  const families = await forwards(outside)
  await calm(outside, families)
  await must(outside, ipLines(link.linkLines(families)))
  return families
}

export interface PluggedNode {
  readonly number: number
  readonly namespace: string
  /** The namespace of the link. */
  readonly outside: string
  readonly families: readonly Family[]
}

export async function plugNode(kernel: Kernel, { number, namespace, outside, families }: PluggedNode): Promise<void> {
  await addNamespaces(kernel, [namespace])
  const node = inNamespace(kernel, namespace)
  await forwards(node)
  await filtersBridges(node)
  await calm(node, families)
  await must(inNamespace(kernel, outside), ipLines(link.cableLines(number, namespace)))
  await must(node, ipLines(link.nodeLines(number, families)))
}
