import { basename, join } from 'node:path'
import { anyCommand } from '#lab/any-command.ts'
import { removeNamespaces } from '#lab/network/namespaces.ts'
import type { Kernel } from '#system/ports.ts'
import { allProcesses, cgroupsOf, endAll, foldersIn, processesIn, removeCgroup, textOf } from './leftovers.ts'

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

/** A shim has the path of its containerd's socket among its words. */
function shimsOf(folder: string): readonly string[] {
  return allProcesses().filter(pid => {
    const words = textOf(`/proc/${pid}/cmdline`)
    return words.includes('containerd-shim') && words.includes(`\0${folder}/`)
  })
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
  const tasks = foldersIn(folder).map(node => join(folder, node, TASKS))
  const texts = tasks.flatMap(path => foldersIn(path).map(id => textOf(join(path, id, 'config.json'))))
  return [...new Set(texts.flatMap(text => /\/run\/netns\/(cni-[\da-f-]+)"/.exec(text)?.[1] ?? []))]
}
