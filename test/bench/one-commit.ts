import { hostKernel } from '../../src/system/kernel.ts'
import { must } from '../../src/system/must.ts'
import { openLab } from '../../src/verbs/sandbox/lab.ts'
import { crowd, probeService, probeSlice, type Size } from './cluster.ts'

// What we write of a cluster, written as kube-proxy writes: one COMMIT for each table, chains in no order, because each is
// named by a digest and they come Service by Service. How long the tool alone takes for that is less than what such a proxy
// takes to its first connection.

const GIVE_UP_MS = 900_000

export async function oneCommitMs(size: Size, program: readonly [string, ...string[]]): Promise<number> {
  const kernel = hostKernel()
  const items = [...crowd(size), probeService(), probeSlice(['10.244.1.3'])]
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
  const rendered = await must(kernel, { argv: [...program, 'render', '-f', '-', '--cluster-cidr=10.128.0.0/9'], input })
  const lab = await openLab(kernel, { pods: [] })
  try {
    const startedAt = performance.now()
    await must(lab.node.kernel, {
      argv: ['iptables-nft-restore', '-w', '5', '--noflush', '--counters'],
      input: inOneCommit(rendered.stdout),
      timeoutMs: GIVE_UP_MS,
    })
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
      lines = tables.get(line) ?? []
      tables.set(line, lines)
    } else if (line !== 'COMMIT' && line !== '') lines.push(line)
  }
  return [...tables].map(([table, lines]) => [table, ...unordered(lines), 'COMMIT\n'].join('\n')).join('')
}

/** Chains and then rules; of rules in one chain none passes another. */
function unordered(lines: readonly string[]): readonly string[] {
  const chains = lines.filter(line => line.startsWith(':'))
  const keyed = lines.filter(line => !line.startsWith(':')).map(line => [mixed(line.split(' ', 2)[1]!), line] as const)
  const rules = keyed.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, line]) => line)
  return [
    ...chains.toSorted((a, b) => (mixed(a.slice(1).split(' ', 1)[0]!) < mixed(b.slice(1).split(' ', 1)[0]!) ? -1 : 1)),
    ...rules,
  ]
}

/** Digests sorted from their ends are in no order from their beginnings. */
function mixed(chain: string): string {
  return [...chain].reverse().join('')
}
