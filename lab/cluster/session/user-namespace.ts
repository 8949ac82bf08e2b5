import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { anyCommand } from '#lab/any-command.ts'
import { labName } from '#lab/network/namespaces.ts'
import { type Kernel, NOT_FOUND } from '#system/ports.ts'

// This program as an ordinary user, or as root of a user namespace → the same program where it may make network namespaces: in
// namespaces of its own, with a /run of its own. Nothing outside of them changes.

/** Set in the program that was started again. */
const INSIDE = 'SWITCHYARD_LAB_IN_NAMESPACES'

/**
 * `$1` is a folder that need not be there. Everything of the machine's /run is seen in the new one, behind links; a network of its
 * own begins with its loopback down.
 */
const SCRIPT = [
  'set -e',
  'mkdir "$1"',
  'mount -t tmpfs tmpfs "$1"',
  'mkdir "$1/host" "$1/netns"',
  'mount --rbind /run "$1/host"',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the words of a shell
  'for path in /run/*; do case "$path" in /run/netns|/run/xtables.lock|/run/switchyard) ;; *) ln -s "host/${path#/run/}" "$1/" ;; esac; done',
  'mount --rbind "$1" /run',
  'umount -l "$1"',
  'rmdir "$1"',
  'ip link set lo up',
  'shift',
  'exec "$@"',
].join('\n')

export type Rights = 'root' | 'root of a user namespace' | 'user'

export function rightsOf(uid: number | undefined, uidMap: string): Rights {
  if (uid !== 0) return 'user'
  return /^\s*0\s+0\s+4294967295\s*$/.test(uidMap) ? 'root' : 'root of a user namespace'
}

/** What this process has; where it was started again, it is the second of them. */
export function ownRights(): Rights | 'inside' {
  if (process.env[INSIDE] !== undefined) return 'inside'
  return rightsOf(process.getuid?.(), readFileSync('/proc/self/uid_map', 'latin1'))
}

/** Why pods cannot be of this runtime; undefined where they can. */
export function runtimeProblem(rights: Rights | 'inside', runtime: 'namespaces' | 'containerd'): string | undefined {
  if (rights === 'root' || runtime === 'namespaces') return undefined
  return '--runtime=containerd takes root of the machine: in a user namespace containers cannot be started'
}

/** Does not return where it succeeds: the program begins anew in the namespaces, as the same process. */
export async function startAgainInside(rights: Exclude<Rights, 'root'>, kernel: Kernel): Promise<never> {
  const words = rights === 'user' ? ['--user', '--map-root-user', '--net'] : []
  const enter = ['unshare', ...words, '--mount', '--propagation=private'] as const
  const { code, stderr } = await kernel.run(anyCommand([...enter, 'true']))
  if (code !== 0) throw new Error(refusal(code === NOT_FOUND ? 'unshare is missing (util-linux)' : stderr.trim()))
  const folder = join(tmpdir(), labName(process.pid))
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const argv = [...enter, 'sh', '-c', SCRIPT, 'sh', folder, ...again]
  process.execve!('/usr/bin/env', ['env', ...argv], { ...(process.env as Record<string, string>), [INSIDE]: '1' })
  throw new Error('the program could not be started again')
}

function refusal(said: string): string {
  const switches =
    'sysctl kernel.unprivileged_userns_clone=1, or kernel.apparmor_restrict_unprivileged_userns=0 on Ubuntu'
  return `without root, the cluster needs a user namespace, which this system does not allow (${said}): try sudo npm start, or ${switches}`
}
