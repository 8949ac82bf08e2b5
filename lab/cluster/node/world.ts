import { namespacePath } from '#lab/network/namespaces.ts'
import type { Command, Kernel } from '#system/ports.ts'
import { type Child, startChild } from '#system/processes/children.ts'
import type { NodeFolders } from './folders.ts'

// A network namespace and a folder → a node: programs in it have that network, and /run and /var/lib of their own. One
// process holds it open; it ends with the lab, whatever becomes of that.

/** `$1` … are the folders, as below. Namespaces of pods that come later are seen, too. */
const SCRIPT = [
  'set -e',
  'if [ -e /etc/resolv.conf ]; then mount --bind "$5" /etc/resolv.conf; fi',
  'mount --rbind /run "$3"',
  'mount --rbind /var/lib "$4"',
  'mount --rbind /run/netns "$1/netns"',
  'mount --rbind "$1" /run',
  'mount --bind "$2" /var/lib',
  'echo ready',
  'exec cat',
].join('\n')

export class NodeWorld {
  readonly #child: Child

  private constructor(child: Child) {
    this.#child = child
  }

  static async open(namespace: string, folders: NodeFolders): Promise<NodeWorld> {
    const ready = Promise.withResolvers<void>()
    const { run, lib, hostRun, hostLib, resolver } = folders
    const enter = ['nsenter', `--net=${namespacePath(namespace)}`, 'unshare', '--mount', '--propagation=slave'] as const
    const child = startChild({
      argv: [...enter, 'sh', '-c', SCRIPT, 'sh', run, lib, hostRun, hostLib, resolver],
      onLine: () => ready.resolve(),
    })
    const failed = child.ended.then(({ code, stderr }) => {
      throw new Error(`the node ${namespace} could not be made: ${stderr.trim() || `exit status ${code}`}`)
    })
    failed.catch(() => {})
    await Promise.race([ready.promise, failed])
    return new NodeWorld(child)
  }

  /** Of a process that is in the namespaces of the node for as long as they are there. */
  get pid(): number {
    return this.#child.pid!
  }

  /** The words that start a program on the node; it replaces what they begin with, so it is one process. */
  within(argv: Command['argv']): Command['argv'] {
    return ['nsenter', `--target=${this.pid}`, '--mount', '--net', '--', ...argv]
  }

  kernelOf(kernel: Kernel): Kernel {
    return { run: ({ argv, ...rest }) => kernel.run({ argv: this.within(argv), ...rest }) }
  }

  async close(): Promise<void> {
    await this.#child.stop()
  }
}
