import { describe, expect, test } from 'vitest'
import { chosenDelegates } from '#cni/delegation/chosen-delegates.ts'
import { OwnPlugins } from '#cni/delegation/own-plugins.ts'
import type { PluginParts } from '#cni/plugins/plugin.ts'
import { CniError } from '#cni/protocol/error.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { NOT_EXECUTABLE, TIMED_OUT } from '#system/ports.ts'
import { FakePlugin, ONE_ADDRESS, outcome, PaperExecutables } from '../parts.ts'
import { requestOf } from '../requests.ts'

const RESULT = { cniVersion: '1.1.0', ips: [{ address: '10.9.0.3/29' }] }
const FILE = '/opt/cni/bin/dhcp'

function rig() {
  const files = new PaperExecutables()
  const ours = new FakePlugin('host-local')
  const clock = new PaperClock()
  const said: string[] = []
  const delegates = chosenDelegates({
    ...{ kernel: files, clock, executables: files, said: text => said.push(text) },
    own: new OwnPlugins([new FakePlugin('bridge'), ours]),
    parts: () => ({ delegates }) as PluginParts,
  })
  return { files, ours, clock, said, delegates }
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
})

describe('a foreign executable', () => {
  test('gets the variables of the request and its whole configuration', async () => {
    const { delegates, files } = rig()
    files.install(FILE, outcome(RESULT))
    const config = { foo: { bar: [1] }, ipam: { type: 'dhcp' } }
    await delegates.add('dhcp', requestOf({ config, env: { CNI_ARGS: 'IgnoreUnknown=1;A=b=c' } }))
    expect(files.commands[0]!.env).toEqual({
      CNI_COMMAND: 'ADD',
      CNI_CONTAINERID: 'c1',
      CNI_NETNS: '/run/netns/c1',
      CNI_IFNAME: 'eth0',
      CNI_ARGS: 'IgnoreUnknown=1;A=b=c',
      CNI_PATH: '/opt/cni/bin',
    })
    expect(JSON.parse(files.commands[0]!.input!)).toEqual({
      ...{ cniVersion: '1.1.0', name: 'net1', type: 'bridge' },
      ...config,
    })
  })

  test.each(['add', 'del', 'check', 'status', 'gc'] as const)('is asked for %s', async verb => {
    const { delegates, files } = rig()
    files.install(FILE, outcome(RESULT))
    await delegates[verb]('dhcp', requestOf())
    expect(files.asked).toEqual([verb.toUpperCase()])
  })

  test('may print on stderr, which is passed on', async () => {
    const { delegates, files, said } = rig()
    files.install(FILE, outcome(RESULT, 0, 'a warning\n'))
    await delegates.add('dhcp', requestOf())
    expect(said).toEqual(['a warning\n'])
  })

  test('is waited for while it is being replaced', async () => {
    const { delegates, files, clock } = rig()
    const busy = outcome('', NOT_EXECUTABLE, `${FILE}: could not be started: spawn ETXTBSY`)
    files.install(FILE, busy, busy, outcome(RESULT))
    const added = delegates.add('dhcp', requestOf())
    for (let i = 0; i < 2; i++) await clock.advance(1000)
    expect(await added).toEqual(ONE_ADDRESS)
    expect(files.asked).toEqual(['ADD', 'ADD', 'ADD'])
  })

  test('that is being replaced for longer than six tries is an error', async () => {
    const { delegates, files, clock } = rig()
    files.install(FILE, outcome('', NOT_EXECUTABLE, `${FILE}: could not be started: spawn ETXTBSY`))
    const refused = refusal(delegates.status('dhcp', requestOf()))
    for (let i = 0; i < 6; i++) await clock.advance(1000)
    expect(await refused).toEqual([5, `${FILE}: could not be started: spawn ETXTBSY`, ''])
    expect(files.commands.length).toBe(6)
  })

  test('that fails an ADD is asked to take back what it may have taken', async () => {
    const { delegates, files } = rig()
    files.install(FILE, outcome({ code: 11, msg: 'no lease yet', details: 'x' }, 1), outcome('', 1))
    expect(await refusal(delegates.add('dhcp', requestOf()))).toEqual([11, 'no lease yet', 'x'])
    expect(files.asked).toEqual(['ADD', 'DEL'])
  })

  test.each([
    ['OK', 'plugin "dhcp" succeeded, but its answer is not the JSON object of a result: "OK"'],
    ['', 'plugin "dhcp" succeeded, but its answer is not the JSON object of a result: ""'],
    ['[]', 'plugin "dhcp" succeeded, but its answer is not the JSON object of a result: "[]"'],
    [
      '{"ips":[{"address":"x"}]}',
      'plugin "dhcp" succeeded, but its result cannot be used: ips[0].address: "x" is not an address with its prefix length such as 10.22.0.5/16',
    ],
  ])('that prints %j as a result is one clear error', async (stdout, message) => {
    const { delegates, files } = rig()
    files.install(FILE, outcome(stdout))
    expect((await refusal(delegates.add('dhcp', requestOf()))).slice(0, 2)).toEqual([6, message])
    expect(files.asked).toEqual(['ADD', 'DEL'])
  })

  test.each([
    [outcome('', 1, 'panic\nno socket\n'), 999, 'plugin "dhcp" failed with exit status 1: no socket'],
    [outcome('', 2), 999, 'plugin "dhcp" failed with exit status 2: it said nothing'],
    [
      outcome('oops', 1),
      999,
      'plugin "dhcp" failed with exit status 1, but its answer is not the JSON object of an error: "oops"',
    ],
    [outcome({ msg: 'old style' }, 1), 999, 'old style'],
    [
      outcome('', TIMED_OUT, 'dhcp: ended after 120 s: time limit'),
      11,
      'plugin "dhcp" failed with exit status 124: dhcp: ended after 120 s: time limit',
    ],
  ])('that fails with %j is one clear error', async (failed, code, message) => {
    const { delegates, files } = rig()
    files.install(FILE, failed)
    expect((await refusal(delegates.check('dhcp', requestOf()))).slice(0, 2)).toEqual([code, message])
  })
})
