import { describe, expect, test } from 'vitest'
import type { PluginAnswer } from '#cni/answer.ts'
import { untilReady } from '#cni/daemon/readiness.ts'
import type { PluginCall } from '#cni/protocol/decode.ts'
import { parseNetworkList } from '#cni/runner/network-list.ts'
import { PaperClock } from '#lab/paper/clock.ts'

// When a configuration may be put where the runtime sees it.

const OK: PluginAnswer = { code: 0, stdout: '', stderr: '' }
const FULL: PluginAnswer = { code: 1, stdout: '{"code":50,"msg":"no address is free","details":"0 of 6"}', stderr: '' }

function rig(cniVersion: string, answers: readonly (PluginAnswer | undefined | Promise<never>)[]) {
  const plugins = [{ type: 'switchyard', mtu: 9000 }, { type: 'tuning' }]
  const network = parseNetworkList(JSON.stringify({ cniVersion, name: 'pods', plugins }))
  const clock = new PaperClock()
  const calls: PluginCall[] = []
  const ask = async (call: PluginCall): Promise<PluginAnswer | undefined> => {
    calls.push(call)
    return answers[Math.min(calls.length, answers.length) - 1]
  }
  const ready = untilReady({ network, ours: ['switchyard'], binDir: '/opt/cni/bin', ask, clock, withinMs: 1000 })
  return { calls, clock, ready }
}

describe('a network', () => {
  test('is ready when each plugin of ours says so; others are not asked', async () => {
    const { calls, ready } = rig('1.1.0', [OK])
    await ready
    expect(calls).toHaveLength(1)
    expect(calls[0]!.env.CNI_COMMAND).toBe('STATUS')
    expect(JSON.parse(calls[0]!.stdin)).toEqual({ type: 'switchyard', mtu: 9000, cniVersion: '1.1.0', name: 'pods' })
  })

  test('of an older version is ready when a daemon answers at all', async () => {
    const { calls, ready } = rig('0.4.0', [OK])
    await ready
    expect(calls.map(({ env }) => env.CNI_COMMAND)).toEqual(['VERSION'])
  })

  test('is waited for', async () => {
    const { calls, clock, ready } = rig('1.1.0', [undefined, FULL, OK])
    await clock.advance(1000)
    await ready
    expect(calls).toHaveLength(3)
  })

  test.each([
    [undefined, 'no daemon answers; is "switchyard pods" running?'],
    [FULL, 'switchyard: no address is free; 0 of 6'],
  ])('that does not become ready says why: %j', async (answer, why) => {
    const { clock, ready } = rig('1.1.0', [answer])
    const refused = expect(ready).rejects.toThrow(`network "pods" is not ready (waited 1 s): ${why}`)
    await clock.advance(2000)
    await refused
  })

  test('whose daemon hangs is waited for no longer than one without a daemon', async () => {
    const { calls, clock, ready } = rig('1.1.0', [new Promise<never>(() => {})])
    const refused = expect(ready).rejects.toThrow('network "pods" is not ready (waited 1 s): no daemon answers')
    await clock.advance(6000)
    await refused
    expect([calls.length, clock.sleepers]).toEqual([1, 0])
  })

  test('with a mistake in its configuration is not waited for', async () => {
    const wrong: PluginAnswer = { code: 1, stdout: '{"code":7,"msg":"mtu: 9 is too small"}', stderr: '' }
    const { ready } = rig('1.1.0', [wrong])
    await expect(ready).rejects.toThrow('network "pods" is not ready: switchyard: mtu: 9 is too small')
  })
})
