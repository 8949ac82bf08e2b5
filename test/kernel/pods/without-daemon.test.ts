import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { cannotRun } from '../namespace.ts'
import { builtOnce } from './built-once.ts'
import { cannotCompile } from './shim.ts'

// The life of a pod by the program without a daemon; and where Node may not call libc, so that commands do what netlink does
// elsewhere.

const why = cannotRun('nsenter', 'bridge', 'iptables', 'conntrack') ?? cannotCompile()
const WORLD = [
  'mount --make-rprivate /',
  'mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/lib && mkdir /run/netns',
  'ip link set lo up && ip netns add pod1 && ip netns add pod2',
  'echo ready',
  // Ends with the test, whatever becomes of that.
  'exec cat',
].join('\n')
const CONFIG = {
  ...{ cniVersion: '1.0.0', name: 'net1', type: 'bridge', bridge: 'cni0' },
  ...{ isDefaultGateway: true, hairpinMode: true, ipMasq: true, mtu: 1400 },
  ipam: { type: 'host-local', ranges: [[{ subnet: '10.66.0.0/24' }], [{ subnet: 'fd00:66::/64' }]] },
}
/** Listens in one pod, connects from the other, ends with 0 where the answer came. */
const LISTEN = `require('node:net').createServer(s => s.end('hello')).listen(80, '::').on('listening', () => console.log('ready'))`
const CONNECT = (address: string) =>
  `require('node:net').connect(80, '${address}').on('data', d => process.exit(String(d) === 'hello' ? 0 : 2)).on('error', () => process.exit(1))`

const NODES: Readonly<Record<string, readonly string[]>> = { 'with FFI': [], 'without FFI': ['--no-experimental-ffi'] }

describe.skipIf(why !== undefined).each(Object.entries(NODES))(
  `Node.js %s${why ? ` (skipped: ${why})` : ''}`,
  (name, flags) => {
    let world: ChildProcess
    let program: string
    beforeAll(() => {
      program = join(builtOnce(), 'cni.js')
    })
    beforeEach(async () => {
      world = spawn('unshare', ['--mount', '--net', 'sh', '-c', WORLD], { stdio: ['pipe', 'pipe', 'inherit'] })
      await once(world.stdout!, 'data')
    })
    afterEach(async () => {
      world.kill('SIGKILL')
      await once(world, 'close')
    })

    const within = (argv: readonly string[]) => ['--mount', '--net', `--target=${world.pid}`, '--', ...argv]
    const run = (argv: readonly string[], more: { input?: string; env?: NodeJS.ProcessEnv } = {}) =>
      spawnSync('nsenter', within(argv), { encoding: 'utf8', ...more })
    const call = (command: string, pod: string, config: object = {}) => {
      const own = { CNI_COMMAND: command, CNI_CONTAINERID: pod, CNI_NETNS: `/run/netns/${pod}`, CNI_IFNAME: 'eth0' }
      const env = { ...process.env, ...own, CNI_PATH: '/none' }
      const argv = [process.execPath, ...flags, program, '--plugin=bridge']
      const { status, stdout, stderr } = run(argv, { env, input: JSON.stringify({ ...CONFIG, ...config }) })
      expect([command, status, status === 0 ? '' : stdout + stderr]).toEqual([command, 0, ''])
      return stdout === '' ? undefined : JSON.parse(stdout)
    }
    const links = () =>
      JSON.parse(run(['ip', '-json', 'link', 'show']).stdout).map((one: { ifname: string }) => one.ifname)
    const addressOf = (ip: { readonly address: string }) => ip.address.split('/')[0]!

    test('gives pods addresses by which they reach each other, finds them in order, and takes everything back', async () => {
      const probe = [...flags, '-p', "process.getBuiltinModule('node:ffi') === undefined"]
      expect(run([process.execPath, ...probe]).stdout).toBe(`${name === 'without FFI'}\n`)
      const [one, two] = [call('ADD', 'pod1'), call('ADD', 'pod2')]
      expect(one.ips.map(addressOf)).toEqual(['10.66.0.2', 'fd00:66::2'])
      expect(one.interfaces.map((each: { name: string }) => each.name)).toEqual([
        'cni0',
        expect.stringMatching(/^veth/),
        'eth0',
      ])
      for (const [pod, prevResult] of Object.entries({ pod1: one, pod2: two })) call('CHECK', pod, { prevResult })
      const inPod = (pod: string, program: string) => ['ip', 'netns', 'exec', pod, process.execPath, '-e', program]
      const server = spawn('nsenter', within(inPod('pod2', LISTEN)), { stdio: ['ignore', 'pipe', 'inherit'] })
      await once(server.stdout, 'data')
      const reached = two.ips.map((ip: { address: string }) => run(inPod('pod1', CONNECT(addressOf(ip)))).status)
      server.kill('SIGKILL')
      expect(reached).toEqual([0, 0])
      const flow = [
        '-s',
        '192.0.2.7',
        '-d',
        '10.96.0.10',
        '-r',
        '10.66.0.2',
        '-q',
        '192.0.2.7',
        '-p',
        'udp',
        '-t',
        '100',
      ]
      const ports = ['--orig-port-src=5', '--orig-port-dst=53', '--reply-port-src=53', '--reply-port-dst=5']
      expect(run(['conntrack', '-I', ...flow, ...ports]).status).toBe(0)
      for (const [pod, prevResult] of Object.entries({ pod1: one, pod2: two })) call('DEL', pod, { prevResult })
      expect(run(['conntrack', '-L', '-r', '10.66.0.2']).stdout).toBe('')
      expect(links()).toEqual(['lo', 'cni0'])
      expect(run(['iptables-save', '-t', 'nat']).stdout).not.toMatch(/10\.66\.0\.2/)
    })
  },
)
