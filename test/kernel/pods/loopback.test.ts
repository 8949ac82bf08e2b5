import { existsSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { answer, type PluginAnswer } from '#cni/answer.ts'
import { loopback } from '#cni/plugins/loopback/loopback.ts'
import { CNI_VERSIONS } from '#cni/protocol/versions.ts'
import { anyCommand } from '#lab/any-command.ts'
import { must } from '#system/must.ts'
import { netlinkNetworks } from '#system/network/netlink-networks.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { paperMachine } from '../../cni/parts.ts'
import { cannotRun, type Namespace, newNamespace } from '../namespace.ts'

// A pod's `lo`, by what a runtime sends and gets.

const why = cannotRun('nsenter')
const REFERENCE = '/usr/lib/cni/loopback'
/** Ends with 0 when a connection within the namespace was made. */
const CONNECT = `
  const { connect, createServer } = require('node:net')
  const server = createServer(socket => socket.end()).listen(0, '127.0.0.1', () => {
    connect(server.address().port, '127.0.0.1').on('connect', () => process.exit(0)).on('error', () => process.exit(1))
  }).on('error', () => process.exit(1))
`

describe.skipIf(why !== undefined)(`loopback${why ? ` (skipped: ${why})` : ''}`, () => {
  let namespace: Namespace
  let path: string
  let isThere: boolean

  beforeEach(async () => {
    namespace = await newNamespace('lo')
    path = `/run/netns/${namespace.name}`
    isThere = true
  })
  const remove = async () => {
    if (isThere) await namespace.end()
    isThere = false
  }
  afterEach(remove)

  const environment = (command: string, netns = path) => ({
    ...{ CNI_COMMAND: command, CNI_CONTAINERID: 'c1', CNI_IFNAME: 'eth0', CNI_PATH: '/usr/lib/cni' },
    ...(netns !== '' && { CNI_NETNS: netns }),
  })
  const input = (config: object) =>
    JSON.stringify({ cniVersion: '1.1.0', name: 'cni-loopback', type: 'loopback', ...config })
  const ask = (command: string, config: object = {}, netns?: string): Promise<PluginAnswer> =>
    answer(
      { plugin: 'loopback', env: environment(command, netns), stdin: input(config) },
      { plugins: [loopback], machine: { ...paperMachine(), networks: netlinkNetworks()! }, version: 'v0' },
    )
  const said = async (asked: Promise<PluginAnswer>) => {
    const { stdout, code } = await asked
    return { code, ...(stdout === '' ? {} : JSON.parse(stdout)) }
  }
  const inPod = (...argv: readonly [string, ...string[]]) => must(namespace.kernel, anyCommand(argv))
  const SUCCESS = { code: 0 }

  test('an ADD brings lo up, and a packet to it arrives; a DEL takes it down', async () => {
    expect((await ask('ADD')).code).toBe(0)
    await inPod(process.execPath, '-e', CONNECT)
    expect(await said(ask('CHECK'))).toEqual(SUCCESS)
    expect(await said(ask('DEL'))).toEqual(SUCCESS)
    expect((await inPod('ip', '-oneline', 'link', 'show', 'lo')).stdout).toContain('<LOOPBACK>')
    expect(await said(ask('CHECK'))).toMatchObject({ code: 100, msg: 'loopback interface is down' })
    expect(await said(ask('DEL'))).toEqual(SUCCESS)
  })

  test.each(CNI_VERSIONS)('the result has the shape of version %s', async cniVersion => {
    const isOld = cniVersion < '0.3.0'
    const withVersion = cniVersion < '1.0.0'
    const ips = [
      { ...(withVersion && { version: '4' }), interface: 0, address: '127.0.0.1/8' },
      { ...(withVersion && { version: '6' }), interface: 0, address: '::1/128' },
    ]
    const shape = isOld
      ? { ip4: { ip: '127.0.0.1/8' }, ip6: { ip: '::1/128' } }
      : { interfaces: [{ name: 'lo', mac: '00:00:00:00:00:00', sandbox: path }], ips }
    const { stdout, code } = await ask('ADD', { cniVersion })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({ cniVersion, ...shape, ...(cniVersion !== '1.1.0' && { dns: {} }) })
  })

  test('where the kernel has no IPv6 for it, there is one address', async () => {
    await inPod('sh', '-c', 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6')
    expect((await said(ask('ADD'))).ips).toEqual([{ interface: 0, address: '127.0.0.1/8' }])
  })

  test('other addresses that lo holds are left out of the result', async () => {
    await inPod('ip', 'address', 'add', '192.0.2.1/32', 'dev', 'lo')
    expect((await said(ask('ADD'))).ips.map((ip: { address: string }) => ip.address)).toEqual([
      '127.0.0.1/8',
      '::1/128',
    ])
  })

  test('the second time is like the first, and in a chain the result before is passed on', async () => {
    const first = await ask('ADD')
    expect(await ask('ADD')).toEqual(first)
    const prevResult = { cniVersion: '1.0.0', ips: [{ address: '10.9.0.2/24' }], dns: {} }
    expect(await said(ask('ADD', { cniVersion: '1.0.0', prevResult }))).toEqual({ code: 0, ...prevResult })
    await inPod('ip', 'link', 'set', 'lo', 'up')
  })

  test('a CHECK misses an address that ADD reported, and none of other plugins', async () => {
    const prevResult = JSON.parse((await ask('ADD')).stdout)
    prevResult.ips.push({ address: '10.9.0.2/24' })
    expect(await said(ask('CHECK', { prevResult }))).toEqual(SUCCESS)
    await inPod('ip', 'address', 'delete', '127.0.0.1/8', 'dev', 'lo')
    const answered = await said(ask('CHECK', { prevResult }))
    expect(answered).toMatchObject({ code: 100, msg: 'loopback interface has lost its address 127.0.0.1' })
  })

  test('a DEL without a namespace succeeds, and so it does when the namespace is gone, or never was one', async () => {
    await remove()
    for (const netns of ['', path, '/etc/hostname'])
      expect([netns, await said(ask('DEL', {}, netns))]).toEqual([netns, SUCCESS])
    expect(await said(ask('DEL', {}, ''))).toEqual(SUCCESS)
    expect(await said(ask('ADD'))).toMatchObject({
      code: 5,
      msg: expect.stringContaining('it is gone, or never was (ENOENT)'),
    })
  })

  test('it is always ready, and a GC has nothing to take back', async () => {
    expect(await said(ask('STATUS', {}, ''))).toEqual(SUCCESS)
    expect(await said(ask('GC', { 'cni.dev/valid-attachments': [] }, ''))).toEqual(SUCCESS)
  })

  test.skipIf(!existsSync(REFERENCE))(
    'says what the reference plugin says, in the version that it speaks',
    async () => {
      const cniVersion = '1.0.0'
      const command = { ...anyCommand([REFERENCE], { input: input({ cniVersion }) }), env: environment('ADD') }
      const theirs = JSON.parse((await must(hostKernel(), command)).stdout)
      expect(await said(ask('ADD', { cniVersion }))).toEqual({ code: 0, ...theirs })
    },
  )
})
