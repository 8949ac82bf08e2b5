import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { cannotRun } from '../namespace.ts'
import { builtOnce } from './built-once.ts'
import { cannotCompile, compileShim } from './shim.ts'

// `switchyard cni` as a person calls it, on a node of its own: with our plugins, with Debian's, and with both in one network.

const REFERENCE = '/usr/lib/cni'
const why =
  cannotRun() ??
  cannotCompile() ??
  (existsSync(`${REFERENCE}/bridge`) ? undefined : 'Debian’s containernetworking-plugins are missing')
const NODE =
  'mount --make-rprivate / && mount -t tmpfs tmpfs /run && mkdir -p /run/netns && ip link set lo up && echo ready && exec cat'

describe.skipIf(why !== undefined)(`cni${why ? ` (skipped: ${why})` : ''}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'runner-'))
  let node: ChildProcess
  let main: string

  beforeAll(async () => {
    main = join(builtOnce(), 'switchyard.js')
    node = spawn('unshare', ['--mount', '--net', 'sh', '-c', NODE], { stdio: ['pipe', 'pipe', 'inherit'] })
    await once(node.stdout!, 'data')
    for (const name of ['one', 'two', 'three']) inNode('ip', 'netns', 'add', name)
    for (const name of ['conf', 'none', 'mixed']) mkdirSync(join(folder, name))
    symlinkSync(`${REFERENCE}/host-local`, join(folder, 'mixed/host-local'))
  })
  beforeEach(() => rmSync(join(folder, 'state'), { recursive: true, force: true }))
  afterAll(async () => {
    node.stdin!.end()
    await once(node, 'close')
    rmSync(folder, { recursive: true })
  })

  function inNode(...argv: readonly string[]) {
    const words = [`--target=${node.pid}`, '--mount', '--net', '--', ...argv]
    const { status, stdout, stderr } = spawnSync('nsenter', words, { encoding: 'utf8' })
    return { status, stdout, stderr }
  }

  function network(
    name: string,
    { subnet = '10.88.0.0/24', cniVersion = '1.1.0', plugins = [] as object[] } = {},
  ): void {
    const ipam = { type: 'host-local', subnet, dataDir: join(folder, 'state/networks'), routes: [{ dst: '0.0.0.0/0' }] }
    const bridge = { type: 'bridge', bridge: `${name}0`, isGateway: true, ipMasq: true, ipam }
    writeFileSync(join(folder, 'conf/10.conflist'), JSON.stringify({ cniVersion, name, plugins: [bridge, ...plugins] }))
  }

  function cni(words: string, bin: string) {
    const places = ['--conf-dir', join(folder, 'conf'), '--bin-dir', bin, '--cache-dir', join(folder, 'state/cache')]
    const database = ['--database', join(folder, 'state/ipam.db')]
    return inNode(process.execPath, main, 'cni', ...words.split(' '), ...places, ...database)
  }

  const addressesOf = (pod: string) => inNode('ip', '-n', pod, '-4', '-o', 'addr', 'show', 'dev', 'eth0').stdout
  const kept = () => readdirSync(join(folder, 'state/cache/results'))
  const portsOf = (bridge: string) => inNode('ip', '-o', 'link', 'show', 'master', bridge).stdout

  test('attaches, checks, and takes back, by our own plugins where there is no executable', () => {
    network('own', { plugins: [{ type: 'portmap', capabilities: { portMappings: true } }] })
    const bin = join(folder, 'none')
    const ports = '--capability-args={"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}'
    const added = cni(`add own one ${ports}`, bin)
    expect([added.status, added.stderr]).toEqual([0, ''])
    expect(JSON.parse(added.stdout)).toMatchObject({ cniVersion: '1.1.0', ips: [{ address: '10.88.0.2/24' }] })
    expect(addressesOf('one')).toContain('10.88.0.2/24')
    expect(cni('check own one', bin)).toMatchObject({ status: 0, stderr: '' })
    expect(cni('status own', bin).stdout).toBe('Network own is ready.\n')
    expect(cni('del own one', bin)).toMatchObject({ status: 0, stderr: '' })
    expect([addressesOf('one'), portsOf('own0'), kept()]).toEqual(['', '', []])
    expect(cni('del own one', bin).status).toBe(0)
  })

  test('finds out what is no longer as the ADD left it', () => {
    network('own')
    const bin = join(folder, 'none')
    cni('add own one', bin)
    inNode('ip', '-n', 'one', 'addr', 'flush', 'dev', 'eth0')
    const { status, stderr } = cni('check own one', bin)
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/^Error: plugin type="bridge" failed \(check\): .*10\.88\.0\.2/),
    ])
    cni('del own one', bin)
  })

  test('starts Debian’s plugins where they are found', () => {
    network('debian', { cniVersion: '1.0.0', plugins: [{ type: 'tuning', sysctl: { 'net.core.somaxconn': '500' } }] })
    const added = cni('add debian two', REFERENCE)
    expect([added.status, added.stderr]).toEqual([0, ''])
    expect(addressesOf('two')).toContain('10.88.0.2/24')
    expect(inNode('ip', 'netns', 'exec', 'two', 'cat', '/proc/sys/net/core/somaxconn').stdout).toBe('500\n')
    expect(existsSync(join(folder, 'state/networks/debian/10.88.0.2'))).toBe(true)
    expect(cni('del debian two', REFERENCE)).toMatchObject({ status: 0, stderr: '' })
    expect([addressesOf('two'), kept()]).toEqual(['', []])
    expect(existsSync(join(folder, 'state/networks/debian/10.88.0.2'))).toBe(false)
  })

  test('lets our bridge ask Debian’s host-local, and takes back all of an ADD for which there is no address left', () => {
    network('mixed', { cniVersion: '1.0.0', subnet: '10.89.0.0/30' })
    const bin = join(folder, 'mixed')
    expect(JSON.parse(cni('add mixed one', bin).stdout)).toMatchObject({ ips: [{ address: '10.89.0.2/30' }] })
    expect(existsSync(join(folder, 'state/networks/mixed/10.89.0.2'))).toBe(true)
    expect(cni('check mixed one', bin)).toMatchObject({ status: 0, stderr: '' })
    const ports = portsOf('mixed0')
    const { status, stderr } = cni('add mixed two', bin)
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining('no IP addresses available in range set: 10.89.0.1-10.89.0.2'),
    ])
    expect([addressesOf('two'), portsOf('mixed0'), kept()]).toEqual(['', ports, [expect.stringMatching(/^mixed-/)]])
    expect(cni('del mixed one', bin)).toMatchObject({ status: 0, stderr: '' })
    expect(existsSync(join(folder, 'state/networks/mixed/10.89.0.2'))).toBe(false)
  })

  test('does the work itself where the executables are ours, with no daemon behind them', () => {
    network('own')
    const bin = join(folder, 'ours')
    for (const name of ['bridge', 'host-local']) compileShim(bin, name, join(folder, 'no.sock'))
    expect(cni('add own one', bin)).toMatchObject({ status: 0, stderr: '' })
    expect(addressesOf('one')).toContain('10.88.0.2/24')
    expect(cni('del own one', bin)).toMatchObject({ status: 0, stderr: '' })
  })

  test('collects all but what is valid', () => {
    network('own')
    const bin = join(folder, 'none')
    cni('add own one --container-id=c1', bin)
    cni('add own two --container-id=c2', bin)
    expect(cni('gc own', bin).stdout).toBe('Network own: 0 deleted; its plugins have collected theirs.\n')
    expect(cni('gc own --valid-attachments=c1/eth0', bin).stdout).toContain('deleted c2/eth0')
    expect([addressesOf('one'), addressesOf('two')]).toEqual([expect.stringContaining('10.88.0.2/24'), ''])
    expect(kept()).toEqual(['own-c1-eth0'])
    expect(cni('gc own --valid-attachments=none', bin).stdout).toContain('deleted c1/eth0')
    expect(addressesOf('one')).toBe('')
  })

  test('refuses the namespace of the node', () => {
    network('own')
    const { status, stderr } = cni('add own /proc/self/ns/net', join(folder, 'none'))
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining("plugin's netns and netns from CNI_NETNS should not be the same"),
    ])
  })
})
