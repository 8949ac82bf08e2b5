import type { LinkVlan } from './network.ts'

// VLANs one by one → runs of neighbours, as the kernel and `bridge` take them.

export interface VlanRun extends Omit<LinkVlan, 'id'> {
  readonly first: number
  readonly last: number
}

/** Neighbours of one kind together: a trunk of 4,094 VLANs is one run. A PVID stands by itself, as the kernel demands. */
export function vlanRuns(vlans: readonly LinkVlan[]): readonly VlanRun[] {
  const runs: VlanRun[] = []
  for (const { id, isUntagged, isPvid } of [...vlans].sort((a, b) => a.id - b.id)) {
    const before = runs.at(-1)
    const continues = before?.last === id - 1 && before.isUntagged === isUntagged && !before.isPvid && !isPvid
    if (before !== undefined && continues) runs[runs.length - 1] = { ...before, last: id }
    else runs.push({ first: id, last: id, isUntagged, isPvid })
  }
  return runs
}
