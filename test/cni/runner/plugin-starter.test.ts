import { describe, expect, test } from 'vitest'
import { pluginStarter } from '#cni/runner/plugin-starter.ts'
import { FakePlugin, outcome, PaperExecutables, paperMachine } from '../parts.ts'
import { variables } from '../requests.ts'

function rig() {
  const executables = new PaperExecutables()
  const bridge = new FakePlugin('bridge')
  const said: string[] = []
  const own = { plugins: [bridge, new FakePlugin('loopback')], machine: paperMachine(executables), version: 'v1' }
  const started = pluginStarter({ own, path: ['/a', '/b'], said: text => said.push(text) })
  const start = (type: string, more: object = {}) =>
    started({
      env: variables('CHECK', { CNI_PATH: '/elsewhere' }) as Record<string, string>,
      config: { cniVersion: '1.1.0', name: 'net1', type, ...more },
    })
  return { executables, bridge, said, start }
}

test('an executable of another make is started, with the folders it was looked for in', async () => {
  const { executables, bridge, start } = rig()
  executables.install('/b/bridge', outcome('{}'))
  expect(await start('bridge', { mtu: 1400 })).toEqual(outcome('{}'))
  expect(executables.commands).toMatchObject([
    { argv: ['/b/bridge'], env: { CNI_COMMAND: 'CHECK', CNI_PATH: '/a:/b' } },
  ])
  expect(JSON.parse(executables.commands[0]!.input!)).toEqual({
    cniVersion: '1.1.0',
    name: 'net1',
    type: 'bridge',
    mtu: 1400,
  })
  expect(bridge.requests).toEqual([])
})

describe('our own code does the work', () => {
  test.each([
    ['bridge', {}, undefined],
    ['bridge', {}, '/a/bridge'],
    ['switchyard', {}, undefined],
    ['switchyard', { plugin: 'bridge' }, '/b/switchyard'],
  ])('of %s with %j, where the executable found is %s', async (type, more, executable) => {
    const { executables, bridge, start } = rig()
    if (executable !== undefined) executables.installOurs(executable)
    expect((await start(type, more)).code).toBe(0)
    expect(bridge.requests).toMatchObject([{ command: 'CHECK', plugin: 'bridge', path: ['/a', '/b'] }])
    expect(executables.commands).toEqual([])
  })
})

test.each([
  ['tuning', 'failed to find plugin "tuning" in path [/a /b]', 'plugins that need no executable: bridge, loopback'],
  [
    '../tuning',
    'invalid plugin name: ../tuning',
    'a plugin is named by its file in the folders of CNI_PATH, such as "host-local"',
  ],
  [
    '',
    'no plugin name provided',
    'type is empty; a plugin is named by its file in the folders of CNI_PATH, such as "host-local"',
  ],
])('%j is not started', async (type, message, details) => {
  const { executables, start } = rig()
  executables.install('/a/../tuning', outcome('{}'))
  await expect(start(type)).rejects.toMatchObject({ code: 7, message, details })
  expect(executables.commands).toEqual([])
})

test('what a plugin prints on stderr is passed on, whether it fails or not', async () => {
  const { executables, said, start } = rig()
  executables.install('/a/tuning', outcome('', 0, ''), outcome('', 0, 'careful\n'), outcome('', 1, 'no\n'))
  for (let i = 0; i < 3; i++) await start('tuning')
  expect(said).toEqual(['careful\n', 'no\n'])
})
