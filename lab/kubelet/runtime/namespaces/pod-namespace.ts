import { writeFileSync } from 'node:fs'
import type { Pod } from '#lab/client/objects.ts'
import { addNamespaces, ipLines, namespacePath } from '#lab/network/namespaces.ts'
import { CommandFailed } from '#system/must.ts'
import { HeldNamespace } from '#system/netlink/namespace.ts'
import { netlinkNetworks } from '#system/network/netlink-networks.ts'
import type { Kernel } from '#system/ports.ts'
import type { NodePlace } from '../../node-place.ts'
import { SandboxRefused } from '../pod-runtime.ts'

// A pod → its network namespace with its settings and its loopback, without a network as yet.

/** What containerd gives each pod: any program may listen on any port, and ping. */
const SETTINGS = { 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 2147483647' } as const

export function namespaceOf({ namespace }: NodePlace, { metadata }: Pod): string {
  return `${namespace}-${metadata.name}-${metadata.uid?.slice(0, 8)}`
}

/** Nothing stays where it rejects, with SandboxRefused. `kernel` is the machine's. */
export async function addPodNamespace(kernel: Kernel, name: string, pod: Pod): Promise<void> {
  const given = pod.spec?.securityContext?.sysctls ?? []
  const foreign = given.find(({ name: setting }) => !setting.startsWith('net.'))
  if (foreign !== undefined)
    throw new SandboxRefused(`sysctl ${foreign.name} is not of a network namespace: only net.* can be set for a pod`)
  await addNamespaces(kernel, [name])
  try {
    inside(name, () => {
      for (const [setting, value] of Object.entries(SETTINGS)) tryToWrite(setting, value)
      for (const { name: setting, value } of given) writeSetting(setting, value)
    })
    await loopbackUp(name)
  } catch (error) {
    await removePodNamespace(kernel, name)
    throw error instanceof SandboxRefused ? error : new SandboxRefused((error as Error).message, { cause: error })
  }
}

/** Also resolves where it is gone already. */
export async function removePodNamespace(kernel: Kernel, name: string): Promise<void> {
  const command = ipLines([`netns del ${name}`])
  const outcome = await kernel.run(command)
  const isAbsent = /No such file/.test(outcome.stderr)
  if (outcome.code !== 0 && !isAbsent) throw new CommandFailed(command, outcome)
}

/** What is opened in this one turn belongs to the namespace: sockets, and files below /proc/sys/net. */
export function inside<T>(name: string, turn: () => T): T {
  const held = HeldNamespace.open(namespacePath(name))
  try {
    return held.inside(turn)
  } finally {
    held.close()
  }
}

/** A user namespace knows too few groups for one of ours: then only root may ping. */
function tryToWrite(setting: string, value: string): void {
  try {
    writeSetting(setting, value)
  } catch {
    // The kernel's own value stays.
  }
}

function writeSetting(setting: string, value: string): void {
  try {
    writeFileSync(`/proc/sys/${setting.replaceAll('.', '/')}`, value)
  } catch (error) {
    throw new SandboxRefused(`sysctl ${setting}: ${value} was refused (${(error as NodeJS.ErrnoException).code})`)
  }
}

async function loopbackUp(name: string): Promise<void> {
  const networks = netlinkNetworks()
  if (networks === undefined) throw new SandboxRefused('this Node.js has no FFI, so no pod can be made')
  const network = await networks.open(namespacePath(name))
  try {
    await network.changeLink('lo', { state: 'up' })
  } finally {
    network.close()
  }
}
