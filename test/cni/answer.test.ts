import { describe, expect, test } from 'vitest'
import { type AnswerParts, answer } from '#cni/answer.ts'
import { CniError } from '#cni/protocol/error.ts'
import type { CniCommand } from '#cni/protocol/request.ts'
import { FakePlugin, ONE_ADDRESS, paperMachine } from './parts.ts'
import { variables } from './requests.ts'

const CONFIG = { cniVersion: '1.0.0', name: 'net1', type: 'bridge' }

function rig() {
  const [bridge, hostLocal] = [new FakePlugin('bridge'), new FakePlugin('host-local')]
  const parts: AnswerParts = { plugins: [bridge, hostLocal], machine: paperMachine(), version: 'v1.2.3' }
  const ask = (command: CniCommand, { plugin = 'bridge', config = {}, env = {} } = {}) =>
    answer({ plugin, env: variables(command, env), stdin: JSON.stringify({ ...CONFIG, ...config }) }, parts)
  return { bridge, hostLocal, ask, parts }
}

describe('an executable of ours', () => {
  test('answers an ADD with the result in the version of the configuration', async () => {
    const { ask } = rig()
    expect(await ask('ADD', { config: { cniVersion: '0.2.0' } })).toEqual({
      code: 0,
      stderr: '',
      stdout: JSON.stringify({ cniVersion: '0.2.0', ip4: { ip: '10.9.0.3/29' }, dns: {} }, undefined, 4),
    })
  })

  test.each<CniCommand>(['DEL', 'CHECK', 'STATUS', 'GC'])(
    'answers a %s that succeeds with nothing at all',
    async command => {
      const { ask, bridge } = rig()
      expect(await ask(command, { config: { cniVersion: '1.1.0' } })).toEqual({ code: 0, stdout: '', stderr: '' })
      expect(bridge.commands).toEqual([command])
    },
  )

  test('answers VERSION without a configuration', async () => {
    const { parts } = rig()
    expect(await answer({ plugin: 'bridge', env: { CNI_COMMAND: 'VERSION' }, stdin: '' }, parts)).toEqual({
      code: 0,
      stderr: '',
      stdout: '{"cniVersion":"1.1.0","supportedVersions":["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]}\n',
    })
  })

  test('says what it is on stderr where a person calls it, and stdout stays empty', async () => {
    const { parts } = rig()
    expect(await answer({ plugin: 'bridge', env: {}, stdin: '' }, parts)).toEqual({
      code: 0,
      stdout: '',
      stderr:
        'CNI plugin bridge of Switchyard v1.2.3\nCNI protocol versions supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0\n',
    })
  })

  test('answers an error as an object with the version of the configuration', async () => {
    const { ask, bridge } = rig()
    bridge.failures.set('ADD', new CniError(11, 'wait', 'a while'))
    const { stdout, code } = await ask('ADD')
    expect([code, JSON.parse(stdout)]).toEqual([1, { cniVersion: '1.0.0', code: 11, msg: 'wait', details: 'a while' }])
    expect(stdout).toMatch(/^\{\n {4}"cniVersion"/)
  })

  test('answers a failure of its own with code 999; where it happened stands on stderr alone', async () => {
    const { ask, bridge } = rig()
    bridge.failures.set('ADD', new TypeError('x is undefined'))
    const { stdout, stderr, code } = await ask('ADD')
    expect([code, JSON.parse(stdout)]).toEqual([1, { cniVersion: '1.0.0', code: 999, msg: 'x is undefined' }])
    expect(stderr).toMatch(/^TypeError: x is undefined\n +at /)
  })

  test('answers in the newest version where there is no configuration to have one', async () => {
    const { parts } = rig()
    const { stdout } = await answer({ plugin: 'bridge', env: variables('ADD'), stdin: '{' }, parts)
    expect(JSON.parse(stdout)).toMatchObject({ cniVersion: '1.1.0', code: 6 })
  })

  test('takes back an ADD whose result the version cannot say', async () => {
    const { ask, bridge } = rig()
    bridge.result = { ...ONE_ADDRESS, ips: [] }
    const { stdout } = await ask('ADD', { config: { cniVersion: '0.2.0' } })
    expect(JSON.parse(stdout)).toMatchObject({ code: 1, msg: 'cannot convert: no valid IP addresses' })
    expect(bridge.commands).toEqual(['ADD', 'DEL'])
  })
})

describe('the name of the executable', () => {
  test.each([
    ['bridge', { type: 'bridge' }, 'bridge'],
    ['host-local', { type: 'macvlan' }, 'host-local'],
    ['switchyard', { type: 'switchyard', ipam: { type: 'switchyard' } }, 'bridge'],
    ['switchyard', { type: 'switchyard', plugin: 'host-local' }, 'host-local'],
    ['switchyard', { type: 'macvlan', ipam: { type: 'switchyard' } }, 'host-local'],
  ])('%s with %j means %s', async (plugin, config, type) => {
    const { ask, bridge, hostLocal } = rig()
    await ask('ADD', { plugin, config })
    const asked = [bridge, hostLocal].filter(({ requests }) => requests.length > 0)
    expect(asked.map(it => it.type)).toEqual([type])
    expect(asked[0]!.requests[0]!.plugin).toBe(type)
  })

  test.each([
    ['foo', {}, '"foo" is no plugin of Switchyard, which has bridge, host-local'],
    ['switchyard', { type: 'switchyard', plugin: 'brigde' }, 'plugin: "brigde" is none of bridge, host-local'],
    ['switchyard', { type: 'switchyard', plugin: 5 }, 'plugin: 5 is none of bridge, host-local'],
  ])('%s with %j is refused', async (plugin, config, msg) => {
    const { stdout } = await rig().ask('ADD', { plugin, config })
    expect(JSON.parse(stdout)).toMatchObject({ code: 7, msg })
  })
})

describe('the node’s own network namespace', () => {
  const env = { CNI_NETNS: '/proc/1/ns/net' }

  test('is no place for a container: an ADD is refused before it takes anything', async () => {
    const { ask, bridge } = rig()
    const { stdout } = await ask('ADD', { env })
    expect(JSON.parse(stdout)).toMatchObject({
      code: 8,
      msg: "plugin's netns and netns from CNI_NETNS should not be the same",
    })
    expect(bridge.requests).toEqual([])
  })

  test('is left alone by a DEL, which gives back all else', async () => {
    const { ask, bridge } = rig()
    expect((await ask('DEL', { env })).code).toBe(0)
    expect(bridge.requests[0]!.netns).toBeUndefined()
  })

  test('is used where the runtime says so', async () => {
    const { ask, bridge } = rig()
    expect((await ask('ADD', { env: { ...env, CNI_NETNS_OVERRIDE: '1' } })).code).toBe(0)
    expect(bridge.requests[0]!.netns).toBe('/proc/1/ns/net')
  })
})
