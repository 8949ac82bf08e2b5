import { readdirSync, readFileSync, readlinkSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

// What outlives a container runtime that is killed: its shims, their containers, and cgroups.

/** Those in the mount namespace of this process and all that they have started. Resolves when they are gone. */
export function endProcessesBeside(world: number): Promise<void> {
  return endAll(() => processesBeside(`${world}`))
}

/** Resolves when there are none left. */
export async function endAll(left: () => readonly string[]): Promise<void> {
  for (let pids = left(); pids.length > 0; pids = left()) {
    for (const pid of pids) {
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
  const parents = new Map(allProcesses().map(pid => [pid, parentOf(pid)]))
  const mounts = mountsOf(world)
  const isBeside = (pid: string | undefined): boolean => {
    if (pid === undefined || pid === world || mounts === undefined) return false
    return mountsOf(pid) === mounts || isBeside(parents.get(pid))
  }
  return [...parents.keys()].filter(isBeside)
}

export function allProcesses(): readonly string[] {
  return readdirSync('/proc').filter(name => /^\d+$/.test(name))
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
  const status = textOf(`/proc/${pid}/status`)
  return /^State:\tZ/m.test(status) ? undefined : /^PPid:\t(\d+)$/m.exec(status)?.[1]
}

const CGROUPS = '/sys/fs/cgroup'

/** Names that begin so, in any hierarchy. */
export function cgroupsOf(prefix: string): readonly string[] {
  const names = ['.', ...foldersIn(CGROUPS)].flatMap(hierarchy => foldersIn(join(CGROUPS, hierarchy)))
  return [...new Set(names.filter(name => name.startsWith(prefix)))]
}

/** In any hierarchy, with those of the cgroups within. */
export function processesIn(cgroup: string): readonly string[] {
  return ['.', ...foldersIn(CGROUPS)].flatMap(hierarchy => processesBelow(join(CGROUPS, hierarchy, cgroup)))
}

function processesBelow(folder: string): readonly string[] {
  const within = foldersIn(folder).flatMap(name => processesBelow(join(folder, name)))
  const own = textOf(join(folder, 'cgroup.procs')).split('\n')
  return [...within, ...own.filter(line => line !== '')]
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

/** Empty where it is not there, or no longer. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

export function foldersIn(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return entries.filter(entry => entry.isDirectory()).map(({ name }) => name)
  } catch {
    return []
  }
}
