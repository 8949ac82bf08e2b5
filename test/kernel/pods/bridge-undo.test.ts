import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { PluginParts } from '#cni/plugins/plugin.ts'
import type { JsonObject } from '#cni/protocol/request.ts'
import { NetworkRefused } from '#system/network/network.ts'
import type { Pod } from './bridge-pod.ts'
import { ensured } from './bridge-requirements.ts'
import { BridgeStage, DUAL_STACK } from './bridge-stage.ts'

// A failure at each step of an ADD, before the step and after it: nothing of the pod is left, on the node or in the pod.

const why = await ensured()

/** What becomes of each step of an ADD. */
type Step = (name: string) => 'go on' | 'fail before' | 'fail after'

describe.skipIf(why !== undefined)(`a failed ADD${why ? ` (skipped: ${why})` : ''}`, () => {
  let stage: BridgeStage

  beforeEach(async () => {
    stage = await BridgeStage.open()
  })
  afterEach(() => stage.end())

  test.each<[string, JsonObject]>([
    ['iptables', { ipMasqBackend: 'iptables' }],
    ['nftables', { ipMasqBackend: 'nftables', macspoofchk: true, hairpinMode: true, mtu: 1400 }],
  ])(
    'with %s leaves nothing, whichever step fails',
    async (_, more) => {
      const config = { isGateway: true, ipMasq: true, ipam: DUAL_STACK, ...more }
      const whole = stage.parts
      const names: string[] = []
      stage.parts = stepped(whole, name => {
        names.push(name)
        return 'go on'
      })
      const first = await stage.addPod()
      await stage.call('ADD', first, { config })
      stage.parts = whole
      await stage.call('DEL', first, { config })
      const clean = await left(stage)
      expect(names.length).toBeGreaterThan(20)

      const pod = await stage.addPod()
      for (const moment of ['fail before', 'fail after'] as const) {
        for (let failing = 0; failing < names.length; failing++) {
          let at = 0
          let failed = ''
          stage.parts = stepped(whole, name => {
            // An IPAM plugin that fails keeps nothing itself.
            if (at++ !== failing || (moment === 'fail after' && name === 'add "host-local"')) return 'go on'
            failed = name
            return moment
          })
          const said = await stage.call('ADD', pod, { config }).then(
            () => undefined,
            error => error as Error,
          )
          stage.parts = whole
          const where = `${moment} at step ${failing}, ${failed}`
          // Some settings may stay as they are, and elements that could not be added at once are added with what they need.
          if (said === undefined) {
            expect(failed, where).toMatch(/^(changeSetting|changeLink "eth0"|change$|nft -f|$)/)
            await stage.call('DEL', pod, { config })
          }
          expect([where, await left(stage), await linksOf(pod)]).toEqual([where, clean, ['lo']])
        }
      }
      await stage.call('ADD', pod, { config })
    },
    600_000,
  )

  /** A process that is gone does not undo: the runtime's DEL finds what it left, and so does a second one after half a DEL. */
  test.each<[string, JsonObject]>([
    ['iptables', { ipMasqBackend: 'iptables' }],
    ['nftables', { ipMasqBackend: 'nftables', macspoofchk: true }],
  ])(
    'a process with %s that is killed at any step of an ADD or a DEL leaves nothing behind the next DEL',
    async (_, more) => {
      const config = { isGateway: true, ipMasq: true, ipam: DUAL_STACK, ...more }
      const whole = stage.parts
      const pod = await stage.addPod()
      const clean = await left(stage)
      const killed = async (command: 'ADD' | 'DEL', last: number): Promise<'ended' | 'killed'> => {
        let at = 0
        stage.parts = stepped(whole, () => (at++ < last ? 'go on' : 'fail before'))
        await stage.call(command, pod, { config }).catch(() => undefined)
        stage.parts = whole
        return at > last ? 'killed' : 'ended'
      }
      for (let last = 0; (await killed('ADD', last)) === 'killed'; last++) {
        await stage.call('DEL', pod, { config })
        expect([last, await left(stage), await linksOf(pod)]).toEqual([last, clean, ['lo']])
      }
      for (let last = 0; (await killed('DEL', last)) === 'killed'; last++) {
        await stage.call('DEL', pod, { config, without: 'namespace' })
        await stage.call('DEL', pod, { config })
        expect([last, await left(stage), await linksOf(pod)]).toEqual([last, clean, ['lo']])
        await stage.call('ADD', pod, { config })
      }
      expect(await left(stage)).toEqual(clean)
    },
    600_000,
  )

  test('an interface of that name in the pod stays as it was, and no address is taken', async () => {
    const pod = await stage.addPod()
    const config = { isGateway: true, ipMasq: true, ipam: DUAL_STACK }
    const result = await stage.call('ADD', pod, { config })
    const [before, leased] = [await left(stage), await stage.leased()]
    await expect(stage.call('ADD', pod, { config, container: 'another' })).rejects.toThrow(
      'container veth name provided (eth0) already exists',
    )
    expect([await left(stage), await stage.leased()]).toEqual([before, leased])
    await stage.call('CHECK', pod, { config, previous: result })
  })

  test('a namespace that is gone is named', async () => {
    const pod = await stage.addPod()
    await pod.leave()
    await expect(stage.call('ADD', pod, { config: { ipam: DUAL_STACK } })).rejects.toThrow(
      `failed to open netns "${pod.path}"`,
    )
    expect(await stage.run('ip', '-o', 'link')).not.toContain('cni0')
  })

  test('an address that another interface on the bridge has is found, and nothing of the pod stays', async () => {
    const [one, two] = [await stage.addPod(), await stage.addPod()]
    const config = { isGateway: true, enabledad: true, ipam: DUAL_STACK }
    await stage.call('ADD', one, { config })
    await one.run('ip', 'address', 'add', 'fd00:66::3/64', 'dev', 'eth0', 'nodad')
    await expect(stage.call('ADD', two, { config })).rejects.toThrow(/fd00:66::3 in DADFAILED state/)
    expect([await linksOf(two), (await stage.leased()).toSorted()]).toEqual([['lo'], ['10.66.0.2', 'fd00:66::2']])
  })
})

/** Interfaces of the node but the bridge, rules with anything of a pod in them, and addresses that are held. */
async function left(stage: BridgeStage): Promise<readonly string[]> {
  // The folder /sys/class/net still has an entry for a moment after an interface has gone.
  const links = (await stage.run('ip', '-o', 'link')).match(/veth[0-9a-f]{8}/g) ?? []
  // Those of iptables-nft are among them, without their comments.
  const ruleset = (await stage.run('nft', 'list', 'ruleset')).split('\n')
  const rules = ruleset.filter(line => line.includes('bridge-pod') || line.includes('CNI-'))
  return [...links, ...rules, ...(await stage.leased())]
}

async function linksOf(pod: Pod): Promise<readonly string[]> {
  return [...(await pod.run('ip', '-o', 'link')).matchAll(/^\d+: (\w+)/gm)].map(([, name]) => name!)
}

/** Every change and question of the plugin is a step: to the network, to a program, to IPAM. */
function stepped(parts: PluginParts, step: Step): PluginParts {
  const watched = <T extends object>(thing: T): T =>
    new Proxy(thing, {
      get(target, name) {
        const method = Reflect.get(target, name) as unknown
        if (typeof method !== 'function') return method
        if (name === 'close') return method.bind(target)
        return async (...args: readonly unknown[]) => {
          const said = step(`${String(name)} ${JSON.stringify(args[0])}`)
          if (said === 'fail before') throw new NetworkRefused('EIO', 'a failure of the test')
          const done = await Reflect.apply(method, target, args)
          if (said === 'fail after') throw new NetworkRefused('EIO', 'a failure of the test')
          return name === 'open' ? watched(done as object) : done
        }
      },
    })
  return {
    ...parts,
    networks: watched(parts.networks),
    kernel: {
      async run(command) {
        const said = step(`${command.argv.join(' ')}`)
        const failure = { code: 1, stdout: '', stderr: 'a failure of the test' }
        if (said === 'fail before') return failure
        const outcome = await parts.kernel.run(command)
        return said === 'fail after' ? failure : outcome
      },
    },
    delegates: watched(parts.delegates),
    change(changes) {
      const said = step('change')
      return said !== 'fail before' && parts.change!(changes) && said === 'go on'
    },
  }
}
