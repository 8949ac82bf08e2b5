import { describe, expect, test } from 'vitest'
import { ForeignPlugin } from '#cni/delegation/foreign-plugin.ts'
import { CniError } from '#cni/protocol/error.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { NOT_EXECUTABLE, TIMED_OUT } from '#system/ports.ts'
import { ONE_ADDRESS, outcome, PaperExecutables } from '../parts.ts'
import { requestOf } from '../requests.ts'

const RESULT = { cniVersion: '1.1.0', ips: [{ address: '10.9.0.3/29' }] }
const FILE = '/opt/cni/bin/dhcp'

function rig() {
  const files = new PaperExecutables()
  const clock = new PaperClock()
  const said: string[] = []
  const plugin = new ForeignPlugin('dhcp', FILE, { kernel: files, clock, said: text => said.push(text) })
  return { files, clock, said, plugin }
}

async function refusal(promise: Promise<unknown>): Promise<readonly [number, string, string]> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof CniError) return [error.code, error.message, error.details]
  throw error ?? new Error('it was not refused')
}

describe('a foreign executable', () => {
  test('gets the variables of the request and its whole configuration', async () => {
    const { plugin, files } = rig()
    files.install(FILE, outcome(RESULT))
    const config = { foo: { bar: [1] }, ipam: { type: 'dhcp' } }
    await plugin.add(requestOf({ config, env: { CNI_ARGS: 'IgnoreUnknown=1;A=b=c' } }))
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
    const { plugin, files } = rig()
    files.install(FILE, outcome(RESULT))
    await plugin[verb](requestOf())
    expect(files.asked).toEqual([verb.toUpperCase()])
  })

  test('may print on stderr, which is passed on', async () => {
    const { plugin, files, said } = rig()
    files.install(FILE, outcome(RESULT, 0, 'a warning\n'))
    await plugin.add(requestOf())
    expect(said).toEqual(['a warning\n'])
  })

  test('is waited for while it is being replaced', async () => {
    const { plugin, files, clock } = rig()
    const busy = outcome('', NOT_EXECUTABLE, `${FILE}: could not be started: spawn ETXTBSY`)
    files.install(FILE, busy, busy, outcome(RESULT))
    const added = plugin.add(requestOf())
    for (let i = 0; i < 2; i++) await clock.advance(1000)
    expect(await added).toEqual(ONE_ADDRESS)
    expect(files.asked).toEqual(['ADD', 'ADD', 'ADD'])
  })

  test('that is being replaced for longer than six tries is an error', async () => {
    const { plugin, files, clock } = rig()
    files.install(FILE, outcome('', NOT_EXECUTABLE, `${FILE}: could not be started: spawn ETXTBSY`))
    const refused = refusal(plugin.status(requestOf()))
    for (let i = 0; i < 6; i++) await clock.advance(1000)
    expect(await refused).toEqual([5, `${FILE}: could not be started: spawn ETXTBSY`, ''])
    expect(files.commands.length).toBe(6)
  })

  test('that fails an ADD is asked to take back what it may have taken', async () => {
    const { plugin, files } = rig()
    files.install(FILE, outcome({ code: 11, msg: 'no lease yet', details: 'x' }, 1), outcome('', 1))
    expect(await refusal(plugin.add(requestOf()))).toEqual([11, 'no lease yet', 'x'])
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
    const { plugin, files } = rig()
    files.install(FILE, outcome(stdout))
    expect((await refusal(plugin.add(requestOf()))).slice(0, 2)).toEqual([6, message])
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
    const { plugin, files } = rig()
    files.install(FILE, failed)
    expect((await refusal(plugin.check(requestOf()))).slice(0, 2)).toEqual([code, message])
  })

  test('hears that its container may share the namespace of the node, where the runtime says so', async () => {
    const { plugin, files } = rig()
    files.install(FILE, outcome(RESULT))
    await plugin.del(requestOf({ command: 'DEL', env: { CNI_NETNS: '', CNI_NETNS_OVERRIDE: 'true' } }))
    expect(files.commands[0]!.env).toMatchObject({ CNI_NETNS: '', CNI_NETNS_OVERRIDE: '1' })
  })

  test('keeps the failure of its ADD, also where what it may have taken cannot be taken back', async () => {
    const { plugin, files } = rig()
    files.install(FILE, outcome({ code: 11, msg: 'no lease yet' }, 1), outcome({ code: 5, msg: 'no socket' }, 1))
    expect((await refusal(plugin.add(requestOf()))).slice(0, 2)).toEqual([11, 'no lease yet'])
  })
})
