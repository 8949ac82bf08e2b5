import type { ConfigFields } from '#cni/protocol/config-fields.ts'

// `vlanTrunk` of a configuration → the VLANs a port carries besides its own, each once, in order.

export const VLANS = { least: 1, most: 4094 } as const

export function trunkVlans(fields: ConfigFields): readonly number[] {
  return [...new Set(fields.objects('vlanTrunk').flatMap(idsOf))].sort((a, b) => a - b)
}

function idsOf(item: ConfigFields): readonly number[] {
  const id = item.number('id', VLANS)
  return [...rangeOf(item), ...(id === undefined ? [] : [id])]
}

function rangeOf(item: ConfigFields): readonly number[] {
  const absent = ['minID', 'maxID'].filter(key => !item.has(key))
  const [first, last] = [item.number('minID', VLANS), item.number('maxID', VLANS)]
  const [missing] = absent
  if (absent.length === 1 && missing !== undefined)
    item.complain(`${item.pathOf(missing)}: minID and maxID should be configured simultaneously, ${missing} is missing`)
  if (first === undefined || last === undefined) return []
  if (last < first) item.problem('minID', 'is more than maxID: minID is greater than maxID in trunk parameter')
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i)
}
