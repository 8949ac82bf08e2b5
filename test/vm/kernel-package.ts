import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { anyCommand } from '#lab/any-command.ts'
import { must } from '#system/must.ts'
import { hostKernel } from '#system/processes/kernel.ts'

// Debian's kernel package → a kernel and its modules, unpacked in a folder of the user's cache. Nothing is installed.

export interface KernelPackage {
  /** `6.1.0-56-amd64` */
  readonly release: string
  readonly image: string
  /** The folder that a running kernel finds as /lib/modules/RELEASE. */
  readonly modules: string
}

/** Where kernels are kept from one run to the next: 400 MB each. */
export const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'switchyard', 'vm')

const PATIENCE_MS = 10 * 60_000
const kernel = hostKernel({ limitMs: PATIENCE_MS })

/** The newest kernel of this Debian, from the cache or from the package archive. Throws where neither has it. */
export async function kernelPackage(): Promise<KernelPackage> {
  const wanted = await newestName()
  const name = wanted ?? cached().at(-1)
  if (name === undefined) throw new Error('apt-cache knows no linux-image-amd64: apt-get update would help')
  const folder = join(CACHE, name)
  if (!existsSync(folder)) await fetch(name, folder)
  return unpacked(folder)
}

/** `linux-image-6.1.0-56-amd64`, which linux-image-amd64 leads to; undefined where apt cannot say. */
async function newestName(): Promise<string | undefined> {
  const { stdout } = await kernel.run(anyCommand(['apt-cache', 'depends', 'linux-image-amd64']))
  return /Depends: (linux-image-\d\S*-amd64)$/m.exec(stdout)?.[1]
}

function cached(): readonly string[] {
  if (!existsSync(CACHE)) return []
  return readdirSync(CACHE)
    .filter(name => name.startsWith('linux-image-') && !name.endsWith(HALF_DONE))
    .sort(new Intl.Collator('en', { numeric: true }).compare)
}

const HALF_DONE = '.part'

/** Under another name until it is whole, so that no other test finds half a kernel. */
async function fetch(name: string, folder: string): Promise<void> {
  const part = `${folder}.${process.pid}${HALF_DONE}`
  rmSync(part, { recursive: true, force: true })
  mkdirSync(part, { recursive: true })
  try {
    const download = ['apt-get', '-q', '-o', 'APT::Sandbox::User=root', 'download', name] as const
    await must(kernel, anyCommand(['env', '--chdir', part, ...download]))
    const deb = readdirSync(part).find(file => file.endsWith('.deb'))
    if (deb === undefined) throw new Error(`apt-get download ${name} left no package in ${part}`)
    await must(kernel, anyCommand(['dpkg', '-x', join(part, deb), part]))
    rmSync(join(part, deb))
    await must(kernel, anyCommand(['depmod', '-b', part, unpacked(part).release]))
    if (!existsSync(folder)) renameSync(part, folder)
  } finally {
    rmSync(part, { recursive: true, force: true })
  }
}

function unpacked(folder: string): KernelPackage {
  const [release] = readdirSync(join(folder, 'lib', 'modules'))
  if (release === undefined)
    throw new Error(`${folder} holds no kernel modules: remove the folder, and it is fetched anew`)
  const modules = join(folder, 'lib', 'modules', release)
  return { release, modules, image: join(folder, 'boot', `vmlinuz-${release}`) }
}

/** The files of a module and of all that it needs, what is needed first. */
export function moduleFiles({ modules }: KernelPackage, names: readonly string[]): readonly string[] {
  const lines = readFileSync(join(modules, 'modules.dep'), 'utf8').split('\n')
  const found = new Set<string>()
  for (const name of names) {
    const line = lines.find(line => new RegExp(`/${name}\\.ko[^:]*:`).test(line))
    if (line === undefined) throw new Error(`${modules} has no module ${name}`)
    const [file = '', needs = ''] = line.split(':')
    const order = [...needs.trim().split(' ').filter(Boolean).toReversed(), file]
    for (const path of order) found.add(join(modules, path))
  }
  return [...found]
}
