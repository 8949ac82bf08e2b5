import { describe, expect, test } from 'vitest'
import { CniError } from '#cni/protocol/error.ts'
import type { JsonObject } from '#cni/protocol/request.ts'
import type { RuntimeAttachment } from '#cni/runner/attachment.ts'
import { parseNetworkList } from '#cni/runner/network-list.ts'
import type { PluginTurn } from '#cni/runner/plugin-starter.ts'
import { ResultCache } from '#cni/runner/result-cache.ts'
import { Runner } from '#cni/runner/runner.ts'
import type { Outcome } from '#system/ports.ts'
import { outcome } from '../parts.ts'
import { PaperFiles } from './paper-files.ts'

const POD: RuntimeAttachment = { container: 'c1', ifname: 'eth0', netns: '/run/netns/c1', args: [], capabilities: {} }
const CACHED = '/var/lib/cni/results/net1-c1-eth0'
const FIRST = { cniVersion: '1.1.0', ips: [{ address: '10.9.0.3/29' }] }
const SECOND = { ...FIRST, routes: [{ dst: '0.0.0.0/0' }] }

function network(more: object = {}) {
  const plugins = [{ type: 'bridge' }, { type: 'portmap', capabilities: { portMappings: true, ips: false } }]
  return parseNetworkList(JSON.stringify({ cniVersion: '1.1.0', name: 'net1', plugins, ...more }))
}

function rig() {
  const files = new PaperFiles()
  const turns: PluginTurn[] = []
  /** By `TYPE COMMAND`. */
  const answers = new Map<string, Outcome>([
    ['bridge ADD', outcome(FIRST)],
    ['portmap ADD', outcome(SECOND)],
  ])
  const nameOf = ({ env, config }: PluginTurn) => `${String(config.type)} ${env.CNI_COMMAND}`
  const start = async (turn: PluginTurn) => {
    turns.push(turn)
    return answers.get(nameOf(turn)) ?? outcome('')
  }
  const runner = new Runner(start, new ResultCache(files, '/var/lib/cni'))
  const configs = (): readonly JsonObject[] => turns.map(({ config }) => config)
  return { files, turns, answers, runner, configs, asked: () => turns.map(nameOf) }
}

const failure = (msg: string, code = 7) => outcome({ code, msg }, 1)

describe('an ADD', () => {
  test('gives each plugin the result of the one before it, and returns the last', async () => {
    const { runner, turns, asked, configs } = rig()
    expect(await runner.add(network(), POD)).toEqual(SECOND)
    expect(asked()).toEqual(['bridge ADD', 'portmap ADD'])
    expect(turns[0]!.env).toEqual({
      CNI_COMMAND: 'ADD',
      CNI_CONTAINERID: 'c1',
      CNI_NETNS: '/run/netns/c1',
      CNI_IFNAME: 'eth0',
      CNI_ARGS: '',
    })
    expect(configs()).toMatchObject([{ name: 'net1', cniVersion: '1.1.0' }, { prevResult: FIRST }])
    expect(configs()[0]).not.toHaveProperty('prevResult')
  })

  test('hands capabilities to the plugins that declare them, and no others', async () => {
    const { runner, configs } = rig()
    const capabilities = { portMappings: [{ hostPort: 80 }], ips: ['10.9.0.5'], mac: 'x' }
    await runner.add(network(), { ...POD, capabilities })
    expect(configs()[0]).not.toHaveProperty('runtimeConfig')
    expect(configs()[1]!.runtimeConfig).toEqual({ portMappings: [{ hostPort: 80 }] })
  })

  test('is kept as libcni keeps it', async () => {
    const { runner, files } = rig()
    const list = network()
    await runner.add(list, { ...POD, args: [['IgnoreUnknown', '1']], capabilities: { mac: 'x' } })
    expect(JSON.parse(files.texts.get(CACHED)!)).toEqual({
      kind: 'cniCacheV1',
      containerId: 'c1',
      config: Buffer.from(list.text).toString('base64'),
      ifName: 'eth0',
      networkName: 'net1',
      netns: '/run/netns/c1',
      cniArgs: [['IgnoreUnknown', '1']],
      capabilityArgs: { mac: 'x' },
      result: SECOND,
    })
  })

  test('that fails is taken back by a DEL of all plugins, in the opposite order', async () => {
    const { runner, answers, asked, configs, files } = rig()
    answers.set('portmap ADD', failure('port 80 is taken', 100))
    const added = runner.add(network(), POD)
    await expect(added).rejects.toThrow('plugin type="portmap" failed (add): port 80 is taken')
    await expect(added).rejects.toMatchObject({ code: 100 })
    expect(asked()).toEqual(['bridge ADD', 'portmap ADD', 'portmap DEL', 'bridge DEL'])
    expect(configs()[3]).toMatchObject({ prevResult: FIRST })
    expect(files.texts.size).toBe(0)
  })

  test('that fails, and cannot be taken back, says both', async () => {
    const { runner, answers } = rig()
    answers.set('bridge ADD', failure('no address'))
    answers.set('bridge DEL', failure('no link'))
    const error = await runner.add(network(), POD).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(CniError)
    expect(error).toMatchObject({
      message: 'plugin type="bridge" failed (add): no address',
      details: 'and taking it back failed: plugin type="bridge" failed (delete): no link',
    })
  })

  test('whose result an old version cannot hand to the next plugin is taken back', async () => {
    const { runner, answers, asked } = rig()
    answers.set('bridge ADD', outcome({}))
    await expect(runner.add(network({ cniVersion: '0.2.0' }), POD)).rejects.toThrow(
      'plugin type="portmap" failed (add): cannot convert: no valid IP addresses',
    )
    expect(asked()).toEqual(['bridge ADD', 'portmap DEL', 'bridge DEL'])
  })

  test('that cannot be kept is taken back', async () => {
    const { runner, files, asked } = rig()
    files.failure = new Error('ENOSPC: no space left on device')
    await expect(runner.add(network(), POD)).rejects.toThrow('ENOSPC')
    expect(asked().slice(2)).toEqual(['portmap DEL', 'bridge DEL'])
  })

  test('for what is attached already is refused, and nothing of it is touched', async () => {
    const { runner, asked } = rig()
    await runner.add(network(), POD)
    await expect(runner.add(network(), POD)).rejects.toThrow(
      `eth0 of container c1 is attached to network net1 already, as ${CACHED} says; delete that first`,
    )
    expect(asked()).toEqual(['bridge ADD', 'portmap ADD'])
  })

  test('with a bad name starts no plugin', async () => {
    const { runner, asked } = rig()
    await expect(runner.add(network(), { ...POD, container: '../x' })).rejects.toThrow('invalid characters')
    expect(asked()).toEqual([])
  })
})

describe('a DEL', () => {
  test('asks the plugins in the opposite order, each with the result of the ADD, and forgets it', async () => {
    const { runner, asked, configs, files } = rig()
    await runner.add(network(), { ...POD, args: [['A', 'b']], capabilities: { portMappings: [] } })
    await runner.del(network(), POD)
    expect(asked().slice(2)).toEqual(['portmap DEL', 'bridge DEL'])
    expect(configs()[2]).toMatchObject({ prevResult: SECOND, runtimeConfig: { portMappings: [] } })
    expect(files.texts.size).toBe(0)
  })

  test('before version 0.4.0 comes without a result', async () => {
    const { runner, answers, configs } = rig()
    answers.set('portmap ADD', outcome({ ip4: { ip: '10.9.0.3/29' } }))
    await runner.add(network({ cniVersion: '0.3.1' }), POD)
    await runner.del(network({ cniVersion: '0.3.1' }), POD)
    expect(configs()[3]).not.toHaveProperty('prevResult')
  })

  test.each([undefined, '{', '{"kind":"cniCacheV1"}'])('does its work where what was kept is %j', async text => {
    const { runner, files, asked, configs } = rig()
    if (text !== undefined) files.texts.set(CACHED, text)
    await runner.del(network(), POD)
    expect(asked()).toEqual(['portmap DEL', 'bridge DEL'])
    expect(configs()[0]).not.toHaveProperty('prevResult')
    expect(files.texts.size).toBe(0)
  })

  test('goes on behind a plugin that fails, says so, and can be repeated', async () => {
    const { runner, answers, asked, files } = rig()
    await runner.add(network(), POD)
    answers.set('portmap DEL', failure('nft is missing'))
    await expect(runner.del(network(), POD)).rejects.toThrow('plugin type="portmap" failed (delete): nft is missing')
    expect(asked().slice(2)).toEqual(['portmap DEL', 'bridge DEL'])
    expect(files.texts.has(CACHED)).toBe(true)
  })

  test('understands what older versions of libcni kept: the result alone', async () => {
    const { runner, files, configs } = rig()
    files.texts.set(CACHED, JSON.stringify(FIRST))
    await runner.del(network(), POD)
    expect(configs()[0]).toMatchObject({ prevResult: FIRST })
  })
})

describe('a CHECK', () => {
  test('asks the plugins in order, each with the final result', async () => {
    const { runner, asked, configs } = rig()
    await runner.add(network(), POD)
    expect(await runner.check(network(), POD)).toBe('checked')
    expect(asked().slice(2)).toEqual(['bridge CHECK', 'portmap CHECK'])
    expect(configs()[2]).toMatchObject({ prevResult: SECOND })
  })

  test('is not asked for where the network does not want it, or is too old', async () => {
    const { runner, asked } = rig()
    expect(await runner.check(network({ disableCheck: true }), POD)).toBe('disabled')
    await expect(runner.check(network({ cniVersion: '0.3.1' }), POD)).rejects.toThrow(
      'configuration version "0.3.1" does not support the CHECK command',
    )
    expect(asked()).toEqual([])
  })

  test('without the result of an ADD says where that should be', async () => {
    await expect(rig().runner.check(network(), POD)).rejects.toThrow(`${CACHED} is missing`)
  })
})

describe('a GC', () => {
  const other = { ...POD, container: 'c2', netns: '/run/netns/c2' }

  test('deletes what is kept and not valid, then hands the list to each plugin', async () => {
    const { runner, asked, turns, configs } = rig()
    await runner.add(network(), POD)
    await runner.add(network(), other)
    expect(await runner.gc(network(), [{ container: 'c1', ifname: 'eth0' }])).toEqual([
      { container: 'c2', ifname: 'eth0' },
    ])
    expect(asked().slice(4)).toEqual(['portmap DEL', 'bridge DEL', 'bridge GC', 'portmap GC'])
    expect(turns[4]!.env.CNI_CONTAINERID).toBe('c2')
    const list = [{ containerID: 'c1', ifname: 'eth0' }]
    expect(configs().at(-1)).toMatchObject({ 'cni.dev/valid-attachments': list, 'cni.dev/attachments': list })
  })

  test('with an empty list deletes all of this network, and of no other', async () => {
    const { runner, files, configs } = rig()
    await runner.add(network(), POD)
    await runner.add(network({ name: 'net1-c1' }), POD)
    expect(await runner.gc(network(), [])).toHaveLength(1)
    expect([...files.texts.keys()]).toEqual(['/var/lib/cni/results/net1-c1-c1-eth0'])
    expect(configs().at(-1)).toMatchObject({ 'cni.dev/valid-attachments': [] })
  })

  test('that does not know what is valid deletes nothing and hands on no list', async () => {
    const { runner, asked, configs } = rig()
    await runner.add(network(), POD)
    expect(await runner.gc(network(), undefined)).toEqual([])
    expect(asked().slice(2)).toEqual(['bridge GC', 'portmap GC'])
    expect(configs().at(-1)).not.toHaveProperty('cni.dev/valid-attachments')
  })

  test('goes on behind failures, and says all of them', async () => {
    const { runner, answers } = rig()
    await runner.add(network(), POD)
    answers.set('portmap DEL', failure('x'))
    answers.set('bridge GC', failure('y'))
    await expect(runner.gc(network(), [])).rejects.toThrow(
      'failed to delete stale attachment c1 eth0: plugin type="portmap" failed (delete): x\nplugin type="bridge" failed (gc): y',
    )
  })

  test('is not asked for where the network does not want it; plugins before 1.1.0 are not asked', async () => {
    const { runner, asked } = rig()
    await runner.gc(network({ disableGC: true }), [])
    await runner.gc(network({ cniVersion: '1.0.0' }), [])
    expect(asked()).toEqual([])
  })
})

describe('a STATUS', () => {
  test('is that of the first plugin that is not ready', async () => {
    const { runner, answers, asked } = rig()
    expect(await runner.status(network())).toBe('ready')
    answers.set('bridge STATUS', failure('no addresses left', 50))
    await expect(runner.status(network())).rejects.toMatchObject({ code: 50 })
    expect(asked()).toEqual(['bridge STATUS', 'portmap STATUS', 'bridge STATUS'])
    expect(await runner.status(network({ cniVersion: '1.0.0' }))).toBe('unknown')
  })
})
