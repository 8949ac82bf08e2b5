import { block, named, restoreInto } from '#dialects/iptables.ts'
import { anyCommand } from '#lab/any-command.ts'
import { openLab } from '#lab/network/lab.ts'
import { must } from '#system/must.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { crowd, probeService, probeSlice, type Size } from '../cluster.ts'

// What we write of a cluster, written as kube-proxy writes: one COMMIT for each table, chains in no order, because each is
// named by a digest and they come Service by Service. How long the tool alone takes for that is less than what such a proxy
// takes to its first connection.

export async function oneCommitMs(size: Size, program: readonly [string, ...string[]]): Promise<number> {
  const kernel = hostKernel()
  const items = [...crowd(size), probeService(), probeSlice(['10.244.1.3'])]
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
  const rendered = await must(
    kernel,
    anyCommand([...program, 'render', '-f', '-', '--family=ipv4', '--cluster-cidr=10.128.0.0/9'], { input }),
  )
  const lab = await openLab(kernel, { pods: [] })
  try {
    const startedAt = performance.now()
    await must(lab.node.kernel, restoreInto(named('ipv4', 'nft'), inOneCommit(rendered.stdout)))
    return performance.now() - startedAt
  } finally {
    await lab.close()
  }
}

function inOneCommit(document: string): string {
  const tables = new Map<string, string[]>()
  let lines: string[] = []
  for (const line of document.split('\n')) {
    if (line.startsWith('*')) {
      const table = line.slice(1)
      lines = tables.get(table) ?? []
      tables.set(table, lines)
    } else if (line !== 'COMMIT' && line !== '') lines.push(line)
  }
  return [...tables].map(([table, lines]) => block(table, unordered(lines))).join('')
}

/** Chains and then rules; of rules in one chain none passes another. */
function unordered(lines: readonly string[]): readonly string[] {
  const { chains = [], rules = [] } = Object.groupBy(lines, line => (line.startsWith(':') ? 'chains' : 'rules'))
  return [...mixed(chains, line => line.slice(1).split(' ', 1)[0]!), ...mixed(rules, line => line.split(' ', 2)[1]!)]
}

/** By their chains, whose names are digests: sorted from the end, they are in no order from the beginning. */
function mixed(lines: readonly string[], chainOf: (line: string) => string): readonly string[] {
  const keyed = lines.map(line => [[...chainOf(line)].reverse().join(''), line] as const)
  return keyed.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, line]) => line)
}
