import { readdirSync, readFileSync, readlinkSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

// What outlives a container runtime that is killed: its shims, their containers, and cgroups.

/** Those in the mount namespace of this process and all that they have started. Resolves when they are gone. */
export async function endProcessesBeside(world: number): Promise<void> {
  while (true) {
    const left = processesBeside(`${world}`)
    if (left.length === 0) return
    for (const pid of left) {
      try {
        process.kill(Number(pid), 'SIGKILL')
      } catch {
        // It ended meanwhile.
      }
    }
    await setTimeout(10)
  }
}

function processesBeside(world: string): readonly string[] {
  const parents = new Map(numbersIn('/proc').map(pid => [pid, parentOf(pid)]))
  const mounts = mountsOf(world)
  const isBeside = (pid: string | undefined): boolean => {
    if (pid === undefined || pid === world || mounts === undefined) return false
    return mountsOf(pid) === mounts || isBeside(parents.get(pid))
  }
  return [...parents.keys()].filter(isBeside)
}

function numbersIn(folder: string): readonly string[] {
  return readdirSync(folder).filter(name => /^\d+$/.test(name))
}

/** A process that has ended and waits for its parent has none. */
function mountsOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`)
  } catch {
    return undefined
  }
}

function parentOf(pid: string): string | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return /^State:\tZ/m.test(status) ? undefined : /^PPid:\t(\d+)$/m.exec(status)?.[1]
  } catch {
    return undefined
  }
}

const CGROUPS = '/sys/fs/cgroup'

/** Names that begin so, in any hierarchy. */
export function cgroupsOf(prefix: string): readonly string[] {
  const names = ['.', ...foldersIn(CGROUPS)].flatMap(hierarchy => foldersIn(join(CGROUPS, hierarchy)))
  return [...new Set(names.filter(name => name.startsWith(prefix)))]
}

/** In any hierarchy, with those of the cgroups within. */
export function processesIn(cgroup: string): readonly number[] {
  return ['.', ...foldersIn(CGROUPS)].flatMap(hierarchy => processesBelow(join(CGROUPS, hierarchy, cgroup)))
}

function processesBelow(folder: string): readonly number[] {
  const within = foldersIn(folder).flatMap(name => processesBelow(join(folder, name)))
  return [...within, ...linesOf(join(folder, 'cgroup.procs')).map(Number)]
}

function linesOf(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .filter(line => line !== '')
  } catch {
    return []
  }
}

/** Of every hierarchy, with those within. */
export function removeCgroup(name: string): void {
  for (const hierarchy of ['.', ...foldersIn(CGROUPS)]) removeFolders(join(CGROUPS, hierarchy, name))
}

function removeFolders(folder: string): void {
  for (const name of foldersIn(folder)) removeFolders(join(folder, name))
  try {
    rmdirSync(folder)
  } catch {
    // No such hierarchy, or none of that name in it.
  }
}

function foldersIn(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return entries.filter(entry => entry.isDirectory()).map(({ name }) => name)
  } catch {
    return []
  }
}
