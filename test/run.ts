import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensurePrograms, type Program } from '#lab/packages.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { prepareMachines } from './vm/ground.ts'

// npm test: what the tests need is installed, all of them run, and the last line counts them.

const PROGRAMS: readonly Program[] = [
  ...(['ip', 'iptables', 'ip6tables', 'nft', 'conntrack', 'ipset', 'openssl', 'musl-gcc', 'strace'] as const),
  ...(['containerd', 'runc', 'busybox'] as const),
  '/usr/lib/cni/host-local',
  'dnsmasq',
  'curl',
  'chromium',
  ...(['zsh', 'fish', 'groff', 'ipvsadm'] as const),
]

interface Results {
  readonly testResults: readonly { readonly assertionResults: readonly Assertion[] }[]
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numFailedTestSuites: number
  readonly success: boolean
}

interface Assertion {
  readonly status: string
  readonly fullName: string
}

const ensured = await ensurePrograms(hostKernel(), PROGRAMS, { install: 'if-missing', say: console.log })
if (!ensured.ok) console.log(`Kernel tests will be skipped: ${ensured.problem}`)
const words = process.argv.slice(2)
if (!words.includes('--project') || words.includes('vm')) await prepareMachines(console.log)

const folder = mkdtempSync(join(tmpdir(), 'switchyard-test-'))
const results = join(folder, 'results.json')
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`]
const { status } = spawnSync('vitest', ['run', ...reporters, ...words], { stdio: 'inherit' })
const counts = JSON.parse(readFileSync(results, 'utf8')) as Results
rmSync(folder, { recursive: true })

const { numPassedTests: passed, numPendingTests: skipped } = counts
const failed = counts.numFailedTests + (counts.numFailedTests === 0 && !counts.success ? 1 : 0)
for (const { status, fullName } of counts.testResults.flatMap(({ assertionResults }) => assertionResults)) {
  if (status === 'pending' || status === 'skipped') console.log(`skipped: ${fullName}`)
}
/** Where everything is there to run every test, a skipped one is a hole in the proof. */
const mustAllRun = process.env.CI === 'true' && process.getuid?.() === 0
if (mustAllRun && skipped > 0) console.log(`${skipped} tests were skipped, but here all of them must run.`)
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = status !== 0 || failed > 0 || (mustAllRun && skipped > 0) ? 1 : 0
