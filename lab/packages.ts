import { anyCommand } from '#lab/any-command.ts'
import { type Command, type Kernel, NOT_FOUND, type Outcome } from '#system/ports.ts'

// The programs a caller needs → those programs on this machine, or one line that says what would help.

export type Program =
  | 'ip'
  | 'iptables'
  | 'ip6tables'
  | 'nft'
  | 'conntrack'
  | 'ipset'
  | 'ipvsadm'
  | 'openssl'
  | 'qemu-system-x86_64'
  | 'busybox'
  | 'depmod'
  | 'musl-gcc'
  | 'strace'
  | 'containerd'
  | 'runc'
  | 'dnsmasq'
  | 'chromium'
  | 'kubectl'
  | 'curl'
  | 'zsh'
  | 'fish'
  | 'groff'
  | '/usr/lib/cni/host-local'

export interface EnsureOptions {
  readonly install: 'if-missing' | 'never'
  /** Called with one sentence before anything is installed, and one after. */
  readonly say: (sentence: string) => void
}

export type Ensured =
  | { readonly ok: true; readonly installed: readonly string[] }
  | { readonly ok: false; readonly problem: string }

/** The Debian package each program comes in. */
const PACKAGE: Readonly<Record<Program, string>> = {
  ip: 'iproute2',
  iptables: 'iptables',
  ip6tables: 'iptables',
  nft: 'nftables',
  conntrack: 'conntrack',
  ipset: 'ipset',
  ipvsadm: 'ipvsadm',
  openssl: 'openssl',
  'qemu-system-x86_64': 'qemu-system-x86',
  busybox: 'busybox-static',
  depmod: 'kmod',
  'musl-gcc': 'musl-tools',
  strace: 'strace',
  containerd: 'containerd',
  runc: 'runc',
  dnsmasq: 'dnsmasq-base',
  chromium: 'chromium',
  kubectl: 'kubernetes-client',
  curl: 'curl',
  zsh: 'zsh',
  fish: 'fish',
  groff: 'groff-base',
  // The reference plugins, all of them: Debian has none on PATH.
  '/usr/lib/cni/host-local': 'containernetworking-plugins',
}

/** Package lists and packages come over whatever network there is. */
const PATIENCE_MS = 10 * 60_000

/** Installs nothing where nothing is missing, where it may not, and where this is not a Debian with us as root. */
export async function ensurePrograms(
  kernel: Kernel,
  wanted: readonly Program[],
  { install, say }: EnsureOptions,
): Promise<Ensured> {
  const missing = await missingPrograms(kernel, wanted)
  if (missing.length === 0) return { ok: true, installed: [] }
  const packages = [...new Set(missing.map(program => PACKAGE[program]))].sort()
  const obstacle = install === 'never' ? 'installing was not allowed' : await whyNotInstall(kernel)
  if (obstacle !== undefined) return { ok: false, problem: refusal(missing, packages, obstacle) }
  say(`Installing ${listed(packages)} with apt-get, because ${areMissing(missing)}.`)
  const failed = await aptInstall(kernel, packages)
  if (failed !== undefined) return { ok: false, problem: refusal(missing, packages, failed) }
  const still = await missingPrograms(kernel, missing)
  if (still.length > 0) {
    return { ok: false, problem: refusal(still, packages, 'apt-get succeeded, but they are not on PATH') }
  }
  say(`Installed ${listed(packages)}.`)
  return { ok: true, installed: packages }
}

async function missingPrograms(kernel: Kernel, wanted: readonly Program[]): Promise<readonly Program[]> {
  const outcomes = await Promise.all(wanted.map(program => kernel.run(anyCommand([program, versionFlag(program)]))))
  return wanted.filter((_, i) => outcomes[i]!.code === NOT_FOUND)
}

/** Some know no `--version`. */
function versionFlag(program: Program): string {
  return FLAG_OF_ITS_OWN[program] ?? '--version'
}

const FLAG_OF_ITS_OWN: Readonly<Partial<Record<Program, string>>> = { ip: '-V', busybox: '--help', kubectl: 'options' }

async function whyNotInstall(kernel: Kernel): Promise<string | undefined> {
  const [user, apt] = await Promise.all([
    kernel.run(anyCommand(['id', '-u'])),
    kernel.run(anyCommand(['apt-get', '--version'])),
  ])
  if (apt.code === NOT_FOUND) return 'this system has no apt-get, and only apt-get is known here'
  if (user.stdout.trim() !== '0') return 'installing takes root'
  return undefined
}

/**
 * Why it did not work, in apt's own words. A failed update alone is no reason to stop (one broken source among many is
 * enough for that), but where the installation fails too, it is the cause.
 */
async function aptInstall(kernel: Kernel, packages: readonly string[]): Promise<string | undefined> {
  const update = await kernel.run(apt(['update']))
  const install = await kernel.run(apt(installWords(packages)))
  if (install.code === 0) return undefined
  return update.code === 0 ? reasonOf('apt-get install', install) : reasonOf('apt-get update', update)
}

function apt(words: readonly string[]): Command {
  return anyCommand(['apt-get', ...words], { env: { DEBIAN_FRONTEND: 'noninteractive' }, timeoutMs: PATIENCE_MS })
}

function installWords(packages: readonly string[]): readonly string[] {
  return ['install', '-y', '--no-install-recommends', ...packages]
}

function refusal(missing: readonly Program[], packages: readonly string[], why: string): string {
  const command = `apt-get update && apt-get ${installWords(packages).join(' ')}`
  return `${areMissing(missing)} (${why}); on Debian this would help: ${command}`
}

/** apt says much before it says what is wrong. */
function reasonOf(what: string, { code, stdout, stderr }: Outcome): string {
  const lines = `${stdout}\n${stderr}`.split('\n').map(line => line.trim())
  const wrong = lines.find(line => line.startsWith('E:')) ?? lines.findLast(line => line !== '')
  return `${what} exited with ${code}: ${wrong ?? 'it said nothing'}`
}

function areMissing(programs: readonly string[]): string {
  return `${listed(programs)} ${programs.length === 1 ? 'is' : 'are'} missing`
}

function listed(names: readonly string[]): string {
  return new Intl.ListFormat('en', { type: 'conjunction' }).format(names)
}
