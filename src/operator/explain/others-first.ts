import type { Directory, KnownPod } from '#explain/names/directory.ts'
import type { Goal } from '#explain/names/party.ts'
import { type Address, FAMILIES } from '#values/address.ts'
import type { ObjectName } from '#values/names.ts'

// Pods, and what is asked for → the same pods, those last that are endpoints of it: a pod that reaches itself is a case of its own.

export function othersFirst(pods: readonly KnownPod[], goal: Goal, directory: Directory): readonly KnownPod[] {
  const endpoints = endpointsOf(goal, directory)
  const isOne = ({ addresses }: KnownPod): number => Number(addresses.some(address => endpoints.has(address)))
  return pods.toSorted((a, b) => isOne(a) - isOne(b))
}

function endpointsOf({ party }: Goal, { cluster, namespace: usual }: Directory): ReadonlySet<Address> {
  if (party.is !== 'service') return new Set()
  const name = `${party.namespace ?? usual}/${party.name}` as ObjectName
  const slices = FAMILIES.flatMap(family => cluster.slices(name, family))
  return new Set(slices.flatMap(({ endpoints }) => endpoints.map(({ ip }) => ip)))
}
