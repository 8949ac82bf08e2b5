import { anyCommand } from '#lab/any-command.ts'
import { CommandFailed, must } from '#system/must.ts'
import { type Command, type Kernel, NOT_FOUND } from '#system/ports.ts'
import { isAlive } from '#system/processes/children.ts'

// Network namespaces: their names, commands that run inside them, and the removal of those whose owner is gone.

const LAB_NAMESPACE = /^sy-(\d+)-[0-9a-f]{4}-/
const WHAT_IT_TAKES = 'it takes root with CAP_SYS_ADMIN (in a container: --privileged) and iproute2'
const MISSING_PROGRAM = /^exec of ".*" failed: No such file or directory$/m

/** `sy-4711-3fa9`: the process that owns the lab, and a random number. The name of each of its namespaces starts with it. */
export function labName(pid: number): string {
  return `sy-${pid}-${crypto.randomUUID().slice(0, 4)}`
}

/** The same kernel, seen from inside a namespace: its addresses, routes, rules and connections. */
export function inNamespace(kernel: Kernel, namespace: string): Kernel {
  return {
    async run({ argv, ...rest }) {
      const outcome = await kernel.run({ argv: within(namespace, argv), ...rest })
      // `ip` was found and says with 1 that the program was not; a Kernel says that with NOT_FOUND.
      return MISSING_PROGRAM.test(outcome.stderr) ? { ...outcome, code: NOT_FOUND } : outcome
    },
  }
}

/** The words that start a program inside a namespace; the program replaces `ip`, so it is one process, not two. */
export function within(namespace: string, argv: Command['argv']): Command['argv'] {
  return ['ip', 'netns', 'exec', namespace, ...argv]
}

/** Where `ip` keeps a namespace open. */
export function namespacePath(namespace: string): string {
  return `/run/netns/${namespace}`
}

export async function addNamespaces(kernel: Kernel, names: readonly string[]): Promise<void> {
  const { code, stderr } = await kernel.run(ipLines(names.map(name => `netns add ${name}`)))
  if (code === 0) return
  const said = stderr.trim().split('\n', 1)[0]! || `ip exited with ${code}`
  const hint = /File exists/.test(said) ? '' : `; ${WHAT_IT_TAKES}`
  throw new Error(`cannot make the network namespaces ${names.join(', ')}: ${said}${hint}`)
}

/** Removes a lab with everything it has by now, half made or whole. */
export async function removeLab(kernel: Kernel, name: string): Promise<void> {
  const names = await namespaceNames(kernel)
  await removeNamespaces(
    kernel,
    names.filter(it => it.startsWith(`${name}-`)),
  )
}

/** Tries to remove every one of them, then throws if one failed. A namespace takes its interfaces and rules with it. */
export async function removeNamespaces(kernel: Kernel, names: readonly string[]): Promise<void> {
  if (names.length === 0) return
  const input = lines(names.map(name => `netns del ${name}`))
  const command = anyCommand(['ip', '-force', '-batch', '-'], { input })
  await kernel.run(anyCommand(['rm', '-rf', ...names.map(name => `${NETNS_FILES}/${name}`)]))
  await kernel.run(anyCommand(['rmdir', NETNS_FILES]))
  const outcome = await kernel.run(command)
  // Another process removed it first: that is what was wanted.
  const trouble = outcome.stderr.split('\n').filter(line => line !== '' && !/No such file|^Command failed/.test(line))
  if (trouble.length > 0) throw new CommandFailed(command, { ...outcome, stderr: trouble.join('\n') })
}

/**
 * Programs that look up names (`iptables -L` does) get their answer at once inside this namespace: no. The host's own
 * name server cannot be reached from there, and each look-up would wait for it.
 */
export async function withoutNames(kernel: Kernel, namespace: string): Promise<void> {
  await must(kernel, anyCommand(['mkdir', '-p', `${NETNS_FILES}/${namespace}`]))
  await must(
    kernel,
    anyCommand(['tee', `${NETNS_FILES}/${namespace}/resolv.conf`], { input: 'nameserver 127.0.0.1\n' }),
  )
}

/** `ip netns exec` mounts the files that lie here over those of /etc. */
const NETNS_FILES = '/etc/netns'

/** Removes what labs left behind whose process ended without closing them; labs that are in use are left alone. */
export async function sweep(kernel: Kernel): Promise<readonly string[]> {
  const names = await namespaceNames(kernel)
  const dead = names.filter(name => {
    const owner = LAB_NAMESPACE.exec(name)?.[1]
    return owner !== undefined && !isAlive(Number(owner))
  })
  await removeNamespaces(kernel, dead)
  return dead
}

export async function namespaceNames(kernel: Kernel): Promise<readonly string[]> {
  const { stdout } = await must(kernel, anyCommand(['ip', 'netns', 'list']))
  return stdout.split('\n').map(line => line.split(' ', 1)[0]!)
}

/**
 * Gives some of /proc/sys/net one value. `tee` writes one text into many files and is on every machine; `sysctl` is not.
 * An exit status other than 0 means that this kernel lacks one of them, or does not let us; it has written the others.
 */
export function settings(value: 0 | 1, names: readonly string[]): Command {
  return anyCommand(['tee', ...names.map(name => `/proc/sys/net/${name}`)], { input: `${value}\n` })
}

/** Many `ip` lines for one process; it stops at the first that fails. */
export function ipLines(text: readonly string[]): Command {
  return anyCommand(['ip', '-batch', '-'], { input: lines(text) })
}

function lines(text: readonly string[]): string {
  return `${text.join('\n')}\n`
}
