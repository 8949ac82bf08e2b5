import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sweepContainers } from '#lab/containerd/sweep.ts'
import { removeLab, sweep } from '#lab/network/namespaces.ts'
import type { Kernel } from '#system/ports.ts'
import { isAlive } from '#system/processes/children.ts'

// Folders and namespaces have the number of the process that made them in their names: what a killed one has left goes.

const OF_A_LAB = /^sy-(\d+)-[0-9a-f]{4}$/

export function makeTemporary(name: string): string {
  const folder = join(tmpdir(), name)
  mkdirSync(folder, { mode: 0o711 })
  return folder
}

/** Nothing is mounted in it, as seen from here: mounts are those of nodes, and go with them. */
export function removeTemporary(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}

/** Names of what was there. */
export async function sweepLeftovers(kernel: Kernel): Promise<readonly string[]> {
  const namespaces = await sweep(kernel)
  const folders = readdirSync(tmpdir()).filter(name => {
    const owner = OF_A_LAB.exec(name)?.[1]
    return owner !== undefined && !isAlive(Number(owner))
  })
  for (const name of folders) {
    await sweepContainers(kernel, join(tmpdir(), name))
    await removeLab(kernel, name)
    removeTemporary(join(tmpdir(), name))
  }
  return [...namespaces, ...folders]
}
