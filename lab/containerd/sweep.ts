import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { anyCommand } from '#lab/any-command.ts'
import { removeNamespaces } from '#lab/network/namespaces.ts'
import type { Kernel } from '#system/ports.ts'
import { cgroupsOf, processesIn, removeCgroup } from './leftovers.ts'

// The folder of a lab that was killed → nothing of its containers is left on the machine: shims and programs, mounts, the network
// namespaces that containerd made, cgroups.

export async function sweepContainers(kernel: Kernel, folder: string): Promise<void> {
  const namespaces = networksOf(folder)
  const cgroups = cgroupsOf(`${basename(folder)}-`)
  await endAll(() => [...shimsOf(folder), ...cgroups.flatMap(processesIn)])
  const mounts = mountsBelow(folder)
  if (mounts.length > 0) await kernel.run(anyCommand(['umount', '--lazy', ...mounts]))
  await removeNamespaces(kernel, namespaces)
  for (const cgroup of cgroups) removeCgroup(cgroup)
}

async function endAll(left: () => readonly number[]): Promise<void> {
  for (let pids = left(); pids.length > 0; pids = left()) {
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It ended meanwhile.
      }
    }
    await setTimeout(10)
  }
}

/** A shim has the path of its containerd's socket among its words. */
function shimsOf(folder: string): readonly number[] {
  return namesIn('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(pid => textOf(`/proc/${pid}/cmdline`).includes(`\0${folder}/`))
    .filter(pid => textOf(`/proc/${pid}/cmdline`).includes('containerd-shim'))
    .map(Number)
}

/** Deepest first. */
function mountsBelow(folder: string): readonly string[] {
  return textOf('/proc/self/mounts')
    .split('\n')
    .map(line => line.split(' ')[1] ?? '')
    .filter(path => path.startsWith(`${folder}/`))
    .toSorted((a, b) => b.length - a.length)
}

/** Where containerd keeps what a container of a running pod is made of. */
const TASKS = 'lib/containerd/state/io.containerd.runtime.v2.task/k8s.io'

function networksOf(folder: string): readonly string[] {
  const tasks = namesIn(folder).map(node => join(folder, node, TASKS))
  const texts = tasks.flatMap(path => namesIn(path).map(id => textOf(join(path, id, 'config.json'))))
  return [...new Set(texts.flatMap(text => /\/run\/netns\/(cni-[\da-f-]+)"/.exec(text)?.[1] ?? []))]
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** Empty where it is not there, or no longer. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
