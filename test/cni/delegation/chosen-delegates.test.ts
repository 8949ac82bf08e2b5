import { describe, expect, test } from 'vitest'
import { chosenDelegates } from '#cni/delegation/chosen-delegates.ts'
import { OwnPlugins } from '#cni/delegation/own-plugins.ts'
import type { PluginParts } from '#cni/plugins/plugin.ts'
import { CniError } from '#cni/protocol/error.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { FakePlugin, ONE_ADDRESS, outcome, PaperExecutables } from '../parts.ts'
import { requestOf } from '../requests.ts'

const RESULT = { cniVersion: '1.1.0', ips: [{ address: '10.9.0.3/29' }] }

function rig() {
  const files = new PaperExecutables()
  const ours = new FakePlugin('host-local')
  const delegates = chosenDelegates({
    ...{ kernel: files, clock: new PaperClock(), executables: files, said: () => {} },
    own: new OwnPlugins([new FakePlugin('bridge'), ours]),
    parts: () => ({ delegates }) as PluginParts,
  })
  return { files, ours, delegates }
}

async function refusal(promise: Promise<unknown>): Promise<readonly [number, string, string]> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof CniError) return [error.code, error.message, error.details]
  throw error ?? new Error('it was not refused')
}

describe('a delegate', () => {
  test('is our own code where no executable is found', async () => {
    const { delegates, ours } = rig()
    expect(await delegates.add('host-local', requestOf())).toBe(ours.result)
    expect(ours.requests[0]).toMatchObject({ command: 'ADD', plugin: 'host-local', container: 'c1' })
  })

  test('is our own code where the executable found is ours', async () => {
    const { delegates, ours, files } = rig()
    files.installOurs('/opt/cni/bin/switchyard')
    await delegates.del('switchyard', requestOf())
    expect([ours.commands, files.commands]).toEqual([['DEL'], []])
  })

  test('is the executable where that one is foreign, though we have a plugin of that name', async () => {
    const { delegates, ours, files } = rig()
    files.install('/opt/cni/bin/host-local', outcome(RESULT))
    expect(await delegates.add('host-local', requestOf())).toEqual(ONE_ADDRESS)
    expect(ours.requests).toEqual([])
  })

  test.each([undefined, '/opt/cni/bin/bridge'])(
    'is not a plugin that makes interfaces, which would ask itself for addresses for ever: executable %s',
    async executable => {
      const { delegates, files } = rig()
      if (executable !== undefined) files.install(executable, outcome(RESULT))
      expect(await refusal(delegates.check('bridge', requestOf()))).toEqual([
        7,
        'ipam.type: "bridge" gives no addresses',
        'plugins of ours that do: host-local',
      ])
      expect(files.commands).toEqual([])
    },
  )

  test('is looked for in the folders of CNI_PATH, in their order', async () => {
    const { delegates, files } = rig()
    files.install('/b/dhcp', outcome(RESULT))
    files.install('/c/dhcp', outcome(RESULT))
    await delegates.add('dhcp', requestOf({ env: { CNI_PATH: '/a:/b:/c' } }))
    expect(files.commands[0]!.argv).toEqual(['/b/dhcp'])
  })

  test.each([
    ['dhcp', 'failed to find plugin "dhcp" in path [/a /b]'],
    ['../dhcp', 'invalid plugin name: ../dhcp'],
    ['', 'no plugin name provided'],
  ])('named %j that is not there is refused', async (type, message) => {
    const { delegates } = rig()
    const request = requestOf({ env: { CNI_PATH: '/a:/b' } })
    expect((await refusal(delegates.add(type, request))).slice(0, 2)).toEqual([7, message])
  })

  test.each(['add', 'del', 'check', 'status', 'gc'] as const)('is asked for %s, as it was called', async verb => {
    const { delegates, ours } = rig()
    await delegates[verb]('host-local', requestOf({ plugin: 'bridge' }))
    expect(ours.requests).toMatchObject([{ command: verb.toUpperCase(), plugin: 'host-local' }])
  })
})
