import { type ChildProcess, spawn } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cannotRun } from '../namespace.ts'
import { Installation, PodsNode } from './pods-node.ts'
import { cannotCompile } from './shim.ts'

// A real container runtime, and a pod of it: what `switchyard cni install` put in place gives it its address.

const why = cannotRun('containerd', 'ctr', 'runc', 'busybox', 'nsenter', 'unshare') ?? cannotCompile()

/** The folders that `ctr` looks in, without those of this machine. */
const FOLDERS = [
  'set -e',
  'mkdir /run/upper /run/work',
  'mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/upper,workdir=/run/work /etc',
  'mount -t tmpfs tmpfs /opt',
  'rm -rf /etc/cni',
  'mkdir -p /etc/cni/net.d /opt/cni/bin /run/rootfs/bin',
  'cp "$(command -v busybox)" /run/rootfs/bin/busybox',
].join('\n')

const CONTAINERD = `version = 2
root = "/run/containerd/root"
state = "/run/containerd/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "/run/containerd/containerd.sock"
`

const NETWORK = {
  cniVersion: '1.0.0',
  name: 'pods',
  plugins: [
    {
      ...{ type: 'switchyard', isGateway: true },
      ipam: { type: 'switchyard', subnet: '10.244.0.0/24', routes: [{ dst: '0.0.0.0/0' }] },
    },
  ],
}

describe.skipIf(why !== undefined)(`containerd${why ? ` (skipped: ${why})` : ''}`, { timeout: 300_000 }, () => {
  let installation: Installation
  let node: PodsNode
  let runtime: ChildProcess | undefined

  beforeEach(async () => {
    installation = new Installation()
    node = await PodsNode.start(installation)
  })
  afterEach(async () => {
    if (runtime !== undefined) {
      const ended = new Promise(resolve => runtime!.once('close', resolve))
      runtime.kill('SIGTERM')
      await ended
    }
    await node.stop()
    installation.remove()
  })

  const ctr = (...words: readonly string[]): string =>
    node.run('ctr', '-a', '/run/containerd/containerd.sock', ...words)

  async function startContainerd(): Promise<void> {
    node.runWith(CONTAINERD, ['tee', '/run/containerd.toml'])
    const [enter, ...words] = node.within(['containerd', '-c', '/run/containerd.toml'])
    runtime = spawn(enter, words, { stdio: 'ignore' })
    await expect
      .poll(() => node.succeeds('ctr', '-a', '/run/containerd/containerd.sock', 'version'), { timeout: 90_000 })
      .toBe(true)
  }

  test('gets an address for a pod from the plugin that was installed, and gives it back', async () => {
    node.run('sh', '-c', FOLDERS)
    node.runWith(JSON.stringify(NETWORK), ['tee', '/run/10-pods.conflist'])
    const daemon = await node.startDaemon()
    await startContainerd()
    node.run(
      process.execPath,
      installation.program,
      'cni',
      'install',
      '/run/10-pods.conflist',
      '--conf-dir=/etc/cni/net.d',
    )
    const shown = ctr(
      'run',
      '--cni',
      '--rm',
      '--rootfs',
      '/run/rootfs',
      'blue',
      '/bin/busybox',
      'ip',
      'addr',
      'show',
      'eth0',
    )
    expect(shown).toContain('inet 10.244.0.2/24')
    const logged = () =>
      daemon.lines
        .join('\n')
        .match(/(?<=command=")\w+(?=" plugin="switchyard" network="pods" container="default-blue")/g)
    await expect.poll(logged).toEqual(['ADD', 'DEL'])
    expect([node.held(), node.links()]).toEqual([[], ['lo', 'cni0']])
  })
})
