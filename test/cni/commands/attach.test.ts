import { describe, expect, test } from 'vitest'
import { type AttachVerb, attach } from '#cni/commands/attach.ts'
import type { CniSettings } from '#config/settings.ts'
import { FakePlugin, outcome, PaperExecutables, paperMachine } from '../parts.ts'
import { PaperFiles } from '../runner/paper-files.ts'

const SETTINGS: CniSettings = {
  ...{ binDirs: [], cacheDir: '/var/lib/cni', validAttachments: [], serviceRanges: [], output: 'text' },
  database: '/var/lib/switchyard/ipam.db',
  replaceStandardPlugins: false,
}

function rig() {
  const list = {
    cniVersion: '1.1.0',
    name: 'net1',
    plugins: [{ type: 'bridge', capabilities: { portMappings: true } }],
  }
  const files = new PaperFiles({ '/etc/cni/net.d/10.conflist': list, '/mine/10.conflist': { ...list, name: 'mine' } })
  const executables = new PaperExecutables()
  const bridge = new FakePlugin('bridge')
  const warnings: string[] = []
  const said: string[] = []
  const own = { plugins: [bridge], machine: paperMachine(executables), version: 'v1' }
  const run = (
    verb: AttachVerb,
    operands: readonly string[],
    settings: Partial<CniSettings> = {},
    env: Readonly<Record<string, string>> = {},
  ) =>
    attach(
      verb,
      { settings: { ...SETTINGS, ...settings }, operands, env },
      { own, files, input: async () => '', warn: line => warnings.push(line), said: text => said.push(text) },
    )
  return { files, executables, bridge, warnings, said, run }
}

const ADDED = ['net1', '/run/netns/pod1'] as const

describe('cni add', () => {
  test('prints the result, by our own code where there is no executable', async () => {
    const { run, bridge } = rig()
    const { text, status } = await run('add', ADDED)
    expect(JSON.parse(text)).toEqual({ cniVersion: '1.1.0', ips: [{ address: '10.9.0.3/29' }] })
    expect(status).toBe(0)
    expect(bridge.requests[0]).toMatchObject({
      // As cnitool makes it of this path.
      container: 'cnitool-eb69d96616c204ff963c',
      ifname: 'eth0',
      netns: '/run/netns/pod1',
      path: ['/opt/cni/bin'],
    })
  })

  test('starts the executable that is found', async () => {
    const { run, bridge, executables } = rig()
    executables.install('/b/bridge', outcome({ ips: [] }, 0, 'hello\n'))
    await run('add', ADDED, { binDirs: ['/a', '/b'] })
    expect(bridge.requests).toEqual([])
    expect(executables.commands[0]).toMatchObject({
      argv: ['/b/bridge'],
      env: { CNI_PATH: '/a:/b', CNI_COMMAND: 'ADD' },
    })
  })

  test('takes the variables of cnitool', async () => {
    const { run, bridge } = rig()
    const env = {
      NETCONFPATH: '/mine',
      CNI_PATH: '/x:/y',
      CNI_ARGS: 'IgnoreUnknown=1;A=b=c',
      CAP_ARGS: '{"portMappings": [{"hostPort": 80}]}',
      CNI_IFNAME: 'net7',
    }
    await run('add', ['mine', '/n'], {}, env)
    expect(bridge.requests[0]).toMatchObject({ ifname: 'net7', path: ['/x', '/y'] })
    expect([...bridge.requests[0]!.args]).toEqual([
      ['IgnoreUnknown', '1'],
      ['A', 'b=c'],
    ])
    expect(bridge.requests[0]!.config.raw.runtimeConfig).toEqual({ portMappings: [{ hostPort: 80 }] })
  })

  test('takes flags before variables', async () => {
    const { run, bridge } = rig()
    const env = { NETCONFPATH: '/none', CNI_PATH: '/x', CNI_ARGS: 'x', CAP_ARGS: 'x', CNI_IFNAME: 'x' }
    const settings = {
      ...{ confDir: '/mine', binDirs: ['/flag'], ifname: 'eth7', args: 'A=1', capabilityArgs: '{}' },
      containerId: 'c7',
    }
    await run('add', ['mine', 'pod1'], settings, env)
    expect(bridge.requests[0]).toMatchObject({
      container: 'c7',
      ifname: 'eth7',
      netns: '/run/netns/pod1',
      path: ['/flag'],
    })
  })

  test('that fails prints what failed and how it could be right', async () => {
    const { run, executables } = rig()
    executables.install('/opt/cni/bin/bridge', outcome({ code: 7, msg: 'no good', details: 'do better' }, 1))
    expect(await run('add', ADDED)).toEqual({
      status: 1,
      text: 'Error: plugin type="bridge" failed (add): no good; do better; and taking it back failed: plugin type="bridge" failed (delete): no good; do better',
    })
  })

  test.each<[Partial<CniSettings>, readonly string[], string]>([
    [{}, [], 'cni add: NETWORK is missing'],
    [{}, ['net1'], 'cni add: NETNS is missing'],
    [{}, ['nte1', '/n'], 'no net configuration with name "nte1" in /etc/cni/net.d; it has "net1"'],
    [{ args: 'IP' }, ADDED, '--args: "IP" is not like KEY=VALUE'],
    [{ capabilityArgs: '[]' }, ADDED, '--capability-args: "[]" must be JSON such as'],
    [{ capabilityArgs: '{' }, ADDED, '--capability-args: "{" must be JSON such as'],
    [{ validAttachments: ['c1'] }, ADDED, '--valid-attachments: "c1" is not like CONTAINER/IFNAME'],
  ])('with %j and %j is not tried', async (settings, operands, message) => {
    const { run, bridge } = rig()
    await expect(run('add', operands, settings)).rejects.toThrow(message)
    expect(bridge.requests).toEqual([])
  })

  test('goes on where another file in the folder is broken, and warns of it', async () => {
    const { run, files, warnings } = rig()
    files.texts.set('/etc/cni/net.d/00.conflist', '{')
    expect((await run('add', ADDED)).status).toBe(0)
    expect(warnings).toEqual([expect.stringContaining('/etc/cni/net.d/00.conflist: not JSON')])
  })
})

describe('the other commands of cni', () => {
  test('say what was done', async () => {
    const { run } = rig()
    await run('add', ADDED)
    const whose = 'eth0 of cnitool-eb69d96616c204ff963c in network net1'
    expect(await run('check', ADDED)).toEqual({ text: `${whose} is as its ADD left it.`, status: 0 })
    expect(await run('status', ['net1'])).toEqual({ text: 'Network net1 is ready.', status: 0 })
    expect(await run('del', ADDED)).toEqual({ text: `${whose} is gone.`, status: 0 })
  })

  test('take a container out of a network whose configuration has gone, as it was at the ADD', async () => {
    const { run, files, warnings, bridge } = rig()
    await run('add', ADDED)
    files.texts.delete('/etc/cni/net.d/10.conflist')
    expect((await run('del', ADDED)).status).toBe(0)
    expect(warnings).toEqual([expect.stringMatching(/^no net configuration .*; the configuration of the ADD is used$/)])
    expect(bridge.commands).toEqual(['ADD', 'DEL'])
    await expect(run('del', ADDED)).rejects.toThrow('no net configuration with name "net1"')
    await expect(run('check', ADDED)).rejects.toThrow('no net configuration with name "net1"')
  })

  test('collect what is not valid', async () => {
    const { run, bridge } = rig()
    await run('add', ADDED, { containerId: 'c1' })
    await run('add', ADDED, { containerId: 'c2' })
    const nothing = 'Network net1: 0 deleted; its plugins have collected theirs.'
    expect((await run('gc', ['net1'])).text).toBe(nothing)
    expect(bridge.requests.at(-1)!.config.validAttachments).toBeUndefined()
    const { text } = await run('gc', ['net1'], { validAttachments: ['c1/eth0'] })
    expect(text).toBe('deleted c2/eth0\nNetwork net1: 1 deleted; its plugins have collected theirs.')
    expect(bridge.requests.at(-1)!.config.validAttachments).toEqual([{ container: 'c1', ifname: 'eth0' }])
    await run('gc', ['net1'], { validAttachments: ['none'] })
    expect(bridge.requests.at(-1)!.config.validAttachments).toEqual([])
  })

  test('say that a network is too old to be asked', async () => {
    const { run, files } = rig()
    files.texts.set(
      '/etc/cni/net.d/10.conflist',
      '{"name": "net1", "cniVersion": "0.4.0", "plugins": [{"type": "bridge"}]}',
    )
    expect((await run('status', ['net1'])).text).toContain('has cniVersion 0.4.0')
    expect((await run('gc', ['net1'])).text).toContain('were not asked: its cniVersion is 0.4.0')
  })
})
