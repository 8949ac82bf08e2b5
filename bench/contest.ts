import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { anyCommand } from '#lab/any-command.ts'
import { openLab } from '#lab/network/lab.ts'
import { within } from '#lab/network/namespaces.ts'
import { must } from '#system/must.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import type { Size } from './cluster.ts'
import type { Measured, Task } from './inside.ts'

// Contenders and a size → what each of them took, each on a fresh node.

export interface Contender {
  readonly name: string
  readonly argv: readonly string[]
}

export interface Result extends Size, Measured {
  readonly contender: string
  readonly processes: number
  readonly bytesWritten: number
}

const INSIDE = fileURLToPath(new URL('./inside.ts', import.meta.url))
const BACKENDS = [
  { name: 'backend-a', ip: '10.244.1.3' },
  { name: 'backend-b', ip: '10.244.1.4' },
]
const GIVE_UP_MS = 240_000

export async function compare(
  contenders: readonly Contender[],
  size: Size & { readonly updates: number },
): Promise<readonly Result[]> {
  const results: Result[] = []
  for (const { name, argv } of contenders) {
    const timed = await onFreshNode({ ...size, proxy: argv }, process.env.PATH!)
    const counted = await counting(path =>
      onFreshNode({ ...size, updates: Math.min(size.updates, 4), proxy: argv }, path),
    )
    results.push({ contender: name, services: size.services, endpoints: size.endpoints, ...timed, ...counted })
  }
  return results
}

async function onFreshNode(task: Omit<Task, 'backends' | 'path' | 'giveUpMs'>, path: string): Promise<Measured> {
  const kernel = hostKernel()
  const pods = BACKENDS.map(({ name, ip }, i) => ({ name, ip4: ip, ip6: `fd00:244:1::${i + 3}` }))
  const lab = await openLab(kernel, { pods })
  try {
    for (const pod of lab.pods) await pod.listen('tcp', 8080)
    const full: Task = { ...task, backends: BACKENDS, path, giveUpMs: GIVE_UP_MS }
    const argv = within(lab.node.namespace, [process.execPath, INSIDE, JSON.stringify(full)])
    const { stdout } = await must(kernel, anyCommand(argv, { timeoutMs: 3 * GIVE_UP_MS }))
    return JSON.parse(stdout) as Measured
  } finally {
    await lab.close()
  }
}

/** A run of its own with every tool behind a script that counts: counting must not cost the timed run anything. */
async function counting(run: (path: string) => Promise<unknown>): Promise<Pick<Result, 'processes' | 'bytesWritten'>> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-bench-'))
  const log = join(folder, 'log')
  writeFileSync(log, '')
  for (const tool of TOOLS) {
    const real = `/usr/sbin/${tool}`
    const counted = `f=$(mktemp); cat >"$f"; echo "$(wc -c <"$f")" >>${log}; ${real} "$@" <"$f"; s=$?; rm "$f"; exit $s`
    const takes = tool.endsWith('restore') ? 'true' : tool === 'nft' ? '[ "$1" = -f ]' : 'false'
    const body = `if ${takes}; then ${counted}; fi\necho 0 >>${log}\nexec ${real} "$@"`
    writeFileSync(join(folder, tool), `#!/bin/sh\n${body}\n`)
    chmodSync(join(folder, tool), 0o755)
  }
  await run(`${folder}:${process.env.PATH}`)
  const bytes = readFileSync(log, 'utf8').split('\n').filter(Boolean).map(Number)
  rmSync(folder, { recursive: true })
  return { processes: bytes.length, bytesWritten: bytes.reduce((sum, n) => sum + n, 0) }
}

const IPTABLES = ['iptables', 'ip6tables'].flatMap(name => [
  name,
  `${name}-save`,
  `${name}-restore`,
  `${name}-nft-save`,
  `${name}-nft-restore`,
  `${name}-legacy-save`,
  `${name}-legacy-restore`,
])
const TOOLS = ['nft', ...IPTABLES]

export function table(results: readonly Result[]): string {
  const head = [
    'services × endpoints',
    'proxy',
    'first connection',
    'update p50',
    'p99',
    'CPU',
    'peak memory',
    'written',
    'processes',
  ]
  const rows = results.map(result => {
    const {
      services,
      endpoints,
      contender,
      firstConnectionMs,
      updatesMs,
      cpuSeconds,
      peakMiB,
      bytesWritten,
      processes,
    } = result
    return [
      `${services} × ${endpoints}`,
      contender,
      firstConnectionMs === undefined ? 'never' : `${(firstConnectionMs / 1000).toFixed(2)} s`,
      ms(quantile(updatesMs, 0.5)),
      ms(quantile(updatesMs, 0.99)),
      `${cpuSeconds.toFixed(1)} s`,
      `${peakMiB.toFixed(0)} MiB`,
      `${(bytesWritten / 1e6).toFixed(2)} MB`,
      String(processes),
    ]
  })
  return [head, head.map(() => '---'), ...rows, ...ratios(results)].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}

/** Ours as a part of the peer's, size by size. */
function ratios(results: readonly Result[]): readonly (readonly string[])[] {
  return results
    .filter(({ contender }) => contender === 'peer')
    .flatMap(peer => {
      const ours = results.find(({ contender, services }) => contender === 'switchyard' && services === peer.services)
      if (ours === undefined) return []
      const part = (a: number | undefined, b: number | undefined): string => (a && b ? (a / b).toFixed(2) : '-')
      return [
        [
          `${peer.services} × ${peer.endpoints}`,
          'ratio',
          part(ours.firstConnectionMs, peer.firstConnectionMs),
          part(quantile(ours.updatesMs, 0.5), quantile(peer.updatesMs, 0.5)),
          part(quantile(ours.updatesMs, 0.99), quantile(peer.updatesMs, 0.99)),
          part(ours.cpuSeconds, peer.cpuSeconds),
          part(ours.peakMiB, peer.peakMiB),
          part(ours.bytesWritten, peer.bytesWritten),
          part(ours.processes, peer.processes),
        ],
      ]
    })
}

function quantile(values: readonly number[], part: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]
}

function ms(value: number | undefined): string {
  return value === undefined ? '-' : `${value.toFixed(0)} ms`
}
