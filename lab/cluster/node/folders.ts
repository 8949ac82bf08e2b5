import { lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

// The folder of a node, see lab/kubelet/node-place.ts → what the node finds at the paths of a machine of its own.

export interface NodeFolders {
  readonly root: string
  /** /run of the node. */
  readonly run: string
  /** /var/lib of the node. */
  readonly lib: string
  /** Where the machine's own /run and /var/lib are still to be found on the node. */
  readonly hostRun: string
  readonly hostLib: string
  /** Instead of /etc/resolv.conf: names are looked up nowhere, and the answer comes at once. */
  readonly resolver: string
  readonly netD: string
  readonly bin: string
  /** The daemon's socket, seen from outside of the node. */
  readonly socket: string
  readonly database: string
  /** Where the results of ADDs are kept; the daemon asks them, too. */
  readonly cniCache: string
  readonly agentLog: string
  readonly daemonLog: string
}

export function nodeFolders(root: string): NodeFolders {
  const [run, lib] = [join(root, 'run'), join(root, 'lib')]
  return {
    ...{ root, run, lib, hostRun: join(root, 'host-run'), hostLib: join(root, 'host-lib') },
    ...{ resolver: join(root, 'resolv.conf'), netD: join(root, 'cni/net.d'), bin: join(root, 'bin') },
    socket: join(run, 'switchyard/cni.sock'),
    database: join(lib, 'switchyard/ipam.db'),
    cniCache: join(lib, 'cni'),
    ...{ agentLog: join(root, 'agent.log'), daemonLog: join(root, 'pods.log') },
  }
}

/** What a node has for itself; everything else below /run and /var/lib is the machine's. */
const OWN_RUN = ['netns', 'switchyard', 'xtables.lock']
const OWN_LIB = ['switchyard', 'cni']

export function makeFolders(folders: NodeFolders): void {
  const { run, lib, hostRun, hostLib, netD, bin } = folders
  for (const folder of [join(run, 'netns'), lib, hostRun, hostLib, netD, bin]) mkdirSync(folder, { recursive: true })
  linkInto(run, { of: '/run', seenAt: hostRun, own: OWN_RUN })
  linkInto(lib, { of: '/var/lib', seenAt: hostLib, own: OWN_LIB })
  writeFileSync(folders.resolver, 'nameserver 127.0.0.1\n')
}

interface Machine {
  readonly of: string
  readonly seenAt: string
  readonly own: readonly string[]
}

function linkInto(folder: string, { of, seenAt, own }: Machine): void {
  for (const name of readdirSync(of)) {
    if (!own.includes(name) && lstatSync(join(of, name), { throwIfNoEntry: false }) !== undefined)
      symlinkSync(join(seenAt, name), join(folder, name))
  }
}
