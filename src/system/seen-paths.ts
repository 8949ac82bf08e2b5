import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

// A path → whether what this process finds there is what the node has there. In a container another process has the number
// of a path below /proc, a folder of the node is not there at all, and what the node mounts later shows only where mounts
// are passed on.

/** The first of each kind, which the kernel makes as it starts. */
const INITIAL_PIDS = 4026531836
const INITIAL_MOUNTS: readonly number[] = [4026531832, 4026531840, 4026531841]

export async function seesAll(path: string): Promise<boolean> {
  const ownsPids = (await inode('/proc/self/ns/pid')) === INITIAL_PIDS
  if (/^\/proc\//.test(path)) return ownsPids
  if (ownsPids && (await hasNodesMounts())) return true
  const folder = await realpath(dirname(path)).catch(() => undefined)
  if (folder === undefined) return false
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '')
  const mount = mountOf(folder, mounts)
  return mount !== undefined && mount.point !== '/' && mount.isPassedOn
}

async function hasNodesMounts(): Promise<boolean> {
  const [own, first] = [await inode('/proc/self/ns/mnt'), await inode('/proc/1/ns/mnt')]
  // Some nodes let no process look at the first one.
  return own !== undefined && (first === undefined ? INITIAL_MOUNTS.includes(own) : own === first)
}

function inode(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ ino }) => ino,
    () => undefined,
  )
}

export interface MountAbove {
  readonly point: string
  /** What is mounted below it elsewhere shows here, too. */
  readonly isPassedOn: boolean
}

/** The mount a folder is in: the longest point above it, and of several the last, which covers the others. */
export function mountOf(folder: string, mountinfo: string): MountAbove | undefined {
  let found: MountAbove | undefined
  for (const line of mountinfo.split('\n')) {
    const [, , , , at = '', , ...rest] = line.split(' ')
    const point = at.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
    const isAbove = point === '/' || folder === point || folder.startsWith(`${point}/`)
    if (point === '' || !isAbove || point.length < (found?.point.length ?? 0)) continue
    const options = rest.slice(0, rest.indexOf('-'))
    found = { point, isPassedOn: options.some(option => /^(shared|master):/.test(option)) }
  }
  return found
}
