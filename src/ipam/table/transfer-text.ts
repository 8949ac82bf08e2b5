import type { ExportedNetwork, ImportedNetwork } from '#ipam/leases/directory/transfer.ts'

// What an import or export of host-local's directory has done → lines for the operator.

export function importText(networks: readonly ImportedNetwork[]): string {
  return networks.flatMap(importLines).join('\n') || 'There is no network in this directory.'
}

function importLines({ network, leases, ended, known, conflicts, problems }: ImportedNetwork): readonly string[] {
  return [
    `${network}: ${counted(leases.length, 'address', 'addresses')} imported, ${known} known already, ${ended.length > 0 ? `${ended.length} ended since the export, ` : ''}${conflicts.length} held by another container here`,
    ...conflicts.map(
      ({ file, lease }) =>
        `  ${file.address}: the directory says container ${file.container}, the database says ${lease.container} of network ${lease.network}${lease.pod === undefined ? '' : ` (${lease.pod})`}; the database stays as it is`,
    ),
    ...problems.map(problem => `  ${problem}`),
  ]
}

export function exportText(networks: readonly ExportedNetwork[]): string {
  const lines = networks.map(
    ({ network, written, removed }) =>
      `${network}: ${counted(written, 'file', 'files')} written, ${removed} of addresses that are free removed`,
  )
  return lines.join('\n') || 'No network has given an address on this node yet.'
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`
}
