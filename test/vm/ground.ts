import { readFileSync } from 'node:fs'
import { ensurePrograms, type Program } from '#lab/packages.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { kernelPackage } from './kernel-package.ts'

// What an emulated machine stands on: its programs, a kernel for it, and the files of a host that are made for it.

/** Those that make the machine, and those that are run inside, from the host's files. */
const PROGRAMS: readonly Program[] = [
  'qemu-system-x86_64',
  'busybox',
  'depmod',
  'ipvsadm',
  'ipset',
  ...(['ip', 'iptables', 'ip6tables', 'nft', 'conntrack'] as const),
]
const BUSYBOX = '/bin/busybox'

/** Installs and fetches what is missing, so that no test has to wait for it; where that fails, the tests will say so. */
export async function prepareMachines(say: (sentence: string) => void): Promise<void> {
  const why = impossible() ?? (await withoutPrograms('if-missing', say)) ?? (await withoutKernel())
  if (why !== undefined) say(`Tests on an emulated machine will be skipped: ${why}`)
}

/** Undefined where everything is there. */
export async function whyNoMachine(): Promise<string | undefined> {
  return impossible() ?? (await withoutPrograms('never', () => {})) ?? unfit() ?? (await withoutKernel())
}

function impossible(): string | undefined {
  if (process.arch !== 'x64') return `the programs of this host are made for ${process.arch}, and the machine is x64`
  if (process.getuid?.() !== 0) return 'showing all files of the host to a machine takes root'
  return undefined
}

async function withoutPrograms(
  install: 'if-missing' | 'never',
  say: (sentence: string) => void,
): Promise<string | undefined> {
  const ensured = await ensurePrograms(hostKernel(), PROGRAMS, { install, say })
  return ensured.ok ? undefined : ensured.problem
}

/** It is the first program there, with no library beside it. */
function unfit(): string | undefined {
  const isStatic = !readFileSync(BUSYBOX).includes('/ld-linux')
  return isStatic ? undefined : `${BUSYBOX} needs libraries: install the package busybox-static`
}

async function withoutKernel(): Promise<string | undefined> {
  try {
    await kernelPackage()
    return undefined
  } catch (error) {
    return `no kernel for it: ${(error as Error).message}`
  }
}
