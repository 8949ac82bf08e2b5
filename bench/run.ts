import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { ensurePrograms } from '#lab/packages.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { type Contender, compare, type Result, table } from './contest.ts'
import { ipvsBench } from './ipvs.ts'
import { SMALL_YOUNG_GENERATION } from './load.ts'
import { nftablesFigures, nftablesTable } from './nftables.ts'
import { oneCommitMs } from './one-commit.ts'
import { measureUserspace, userspaceTable } from './userspace.ts'

// npm run bench -- iptables [--services N --endpoints M] [--updates N] [--peer PATH-TO-A-KUBE-PROXY] [--one-commit]
// How long a cluster takes to be served, and a change to arrive; in userspace mode, what passes through the relay. Prints a
// table and writes JSON.

const USAGE = [
  'usage: npm run bench -- iptables|nftables [--services N --endpoints M] [--updates N] [--peer PATH] [--one-commit]',
  '       npm run bench -- ipvs [--services N]',
  '       npm run bench -- userspace [--rounds N]',
].join('\n')
const DEFAULT_SIZES = { iptables: [100, 1000, 5000], nftables: [1000, 5000, 10_000] }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    services: { type: 'string' },
    endpoints: { type: 'string', default: '10' },
    updates: { type: 'string', default: '20' },
    peer: { type: 'string' },
    'one-commit': { type: 'boolean' },
    rounds: { type: 'string', default: '5' },
    out: { type: 'string', default: 'dist/bench.json' },
  },
})
const [mode] = positionals
if (mode === 'ipvs') {
  console.log(await ipvsBench(Number(values.services ?? 2000)))
  process.exit(0)
}
if (mode !== 'iptables' && mode !== 'nftables' && mode !== 'userspace') {
  console.error(USAGE)
  process.exit(1)
}
const ensured = await ensurePrograms(hostKernel(), ['ip', 'iptables', 'ip6tables', 'nft', 'conntrack'], {
  install: 'if-missing',
  say: console.log,
})
if (!ensured.ok) {
  console.error(ensured.problem)
  process.exit(1)
}
if (mode === 'userspace') {
  const figures = await measureUserspace(Number(values.rounds))
  console.log(userspaceTable(figures))
  keep({ mode, figures })
  process.exit(0)
}

const flags = [
  `--proxy-mode=${mode}`,
  '--hostname-override=bench',
  '--cluster-cidr=10.128.0.0/9',
  '--conntrack-max-per-core=0',
  '--conntrack-tcp-timeout-established=0s',
  '--conntrack-tcp-timeout-close-wait=0s',
  '--healthz-bind-address=127.0.0.1:10256',
  '--metrics-bind-address=127.0.0.1:10249',
]
const ours: Contender = {
  name: 'switchyard',
  argv: [process.execPath, ...SMALL_YOUNG_GENERATION, 'dist/switchyard.js', ...flags],
}
const peer: readonly Contender[] =
  values.peer === undefined
    ? []
    : [{ name: 'peer', argv: [values.peer, ...flags, '--kube-api-content-type=application/json'] }]
const sizes = values.services === undefined ? DEFAULT_SIZES[mode] : [Number(values.services)]

const results: Result[] = []
const beside: string[] = []
for (const services of sizes) {
  const size = { services, endpoints: Number(values.endpoints) }
  const measured = await compare([ours, ...peer], { ...size, updates: Number(values.updates) })
  results.push(...measured)
  if (values['one-commit']) {
    const tookMs = await oneCommitMs(size, [process.execPath, 'dist/switchyard.js'])
    const ratio = ((measured[0]?.firstConnectionMs ?? Number.NaN) / tookMs).toFixed(2)
    beside.push(
      `${services} × ${size.endpoints}, the same rules in one COMMIT: ${(tookMs / 1000).toFixed(2)} s in the tool alone; our first connection took ${ratio} of that`,
    )
  }
}
const nftFigures = mode === 'nftables' ? await nftablesFigures(sizes) : []
console.log(table(results))
for (const line of beside) console.log(line)
if (mode === 'nftables') console.log(`\n${nftablesTable(nftFigures, results)}`)
keep({ mode, results, ...(mode === 'nftables' && { nftFigures }) })

function keep(figures: unknown): void {
  mkdirSync('dist', { recursive: true })
  writeFileSync(values.out, `${JSON.stringify(figures, undefined, 2)}\n`)
  console.log(`written to ${values.out}`)
}
