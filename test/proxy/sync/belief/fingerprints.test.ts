import { describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { paperKeep } from '#lab/paper/keep.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { PaperRulesetDump } from '#lab/paper/ruleset-dump.ts'
import { PaperRulesetWatch, touchOf } from '#lab/paper/ruleset-watch.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { iptables } from '#proxy/modes/iptables/index.ts'
import { Keeper } from '#proxy/sync/belief/keeper.ts'
import { keptBelief } from '#proxy/sync/belief/kept.ts'
import type { KernelWatch } from '#proxy/sync/commits/kernel-watch.ts'
import { Lane } from '#proxy/sync/lane.ts'
import type { Report } from '#proxy/sync/report.ts'
import type { Sync } from '#proxy/sync/sync.ts'
import { endpoint, port, service, slice, slicePort } from '../../../support/objects.ts'
import { VIEW } from '../view.ts'

// Chains are known by their fingerprints: nothing is listed as text after a kill, a gap or SIGHUP.

const TOOLS = { family: 'ipv4', variant: 'nft', restore: 'iptables-restore', save: 'iptables-save' } as const
/** Long enough for fingerprints to be taken and a belief to be written. */
const QUIET_MS = 10_000
const IDENTITY = ['boot', 'iptables', 'paper']

/** A node, on which one process follows another. */
class Scene {
  readonly kernel = new PaperKernel()
  readonly dump = new PaperRulesetDump(this.kernel)
  readonly ruleset = new PaperRulesetWatch('exact', this.dump)
  readonly clock = new PaperClock()
  readonly kept = new Map<string, string>()
  reports: Report[] = []
  comparedFirst = 1000
  /** What a command of the process waits for, by its first words. */
  readonly waits = new Map<string, Promise<void>>()
  #end = async (_: 'killed' | 'ended'): Promise<void> => {}

  /** A process starts that knows these endpoints, one of a Service each; the one before is killed. */
  async starts(ips: readonly string[]): Promise<readonly string[]> {
    await this.ends('killed')
    const cluster = new Cluster()
    let isKilled = false
    const reports: Report[] = []
    this.reports = reports
    const lane = new Lane({
      family: 'ipv4',
      cluster,
      mode: iptables(TOOLS),
      kernel: {
        run: async command => {
          await this.waits.get(command.argv.slice(0, 5).join(' '))
          if (command.does === 'conntrack') return { code: 0, stdout: '', stderr: '' }
          const outcome = await this.kernel.run(command)
          if (command.does === 'restore') this.ruleset.commit('iptables-restor')
          return outcome
        },
      },
      ruleset: this.ruleset,
      keeping: {
        keep: paperKeep(this.kept, () => !isKilled),
        identity: ['boot'],
        comparedFirst: this.comparedFirst,
      },
      clock: this.clock,
      limits: { minMs: 0, retryMs: 30_000, distrustMs: 1e9, unwatchedMs: 1e9 },
      nodeReader: () => ({
        thisNode: { family: 'ipv4', nodeName: 'here', masquerade: 'never' },
        view: { ...VIEW, dispatch: ips.length > 1000 ? 'tree' : 'flat' },
        addresses: [],
      }),
      onReport: report => reports.push(report),
    })
    this.put = (i, ip) => {
      const name = `shop/s${i}`
      const at = `10.96.${i >> 8}.${i & 255}`
      cluster.apply({ type: 'put', object: service(name, [at], { ports: [port({ port: 80 })] }) })
      const object = slice(`${name}-1`, name, [endpoint(ip)], { ports: [slicePort(8080)] })
      lane.touch(cluster.apply({ type: 'put', object }).services)
    }
    this.distrust = () => lane.distrust()
    for (const [i, ip] of ips.entries()) this.put(i, ip)
    for (const kind of ['Service', 'EndpointSlice', 'Node'] as const) cluster.apply({ type: 'synced', kind })
    lane.touch([])
    const before = this.kernel.commands.length
    const stop = new AbortController()
    const running = lane.run(stop.signal)
    this.#end = async how => {
      isKilled = how === 'killed'
      stop.abort()
      await running
      await lane.keep()
      lane.close()
    }
    await this.clock.advance(0)
    return this.ranSince(before)
  }

  put: (service: number, ip: string) => void = () => {}
  distrust: () => void = () => {}

  async ends(how: 'killed' | 'ended'): Promise<void> {
    await this.#end(how)
    this.#end = async () => {}
  }

  ranSince(command: number): readonly string[] {
    return this.kernel.commands.slice(command).map(({ argv }) => argv.join(' '))
  }

  async ranAfter(happens: () => unknown): Promise<readonly string[]> {
    const before = this.kernel.commands.length
    await happens()
    await this.clock.advance(0)
    return this.ranSince(before)
  }

  /** Another program, unheard. */
  async iptables(...words: readonly string[]): Promise<void> {
    const { code, stderr } = await this.kernel.run(anyCommand(['iptables', ...words]))
    expect([code, stderr]).toEqual([0, ''])
  }

  chains(start: string): readonly string[] {
    return [...new Set(this.kernel.dump().match(new RegExp(`${start}[A-Z2-7]{16}`, 'g')))]
  }

  lines(): readonly string[] {
    return this.kernel.dump().split('\n').sort()
  }
}

const RESTORE = 'iptables-restore -w 5 --noflush --counters'
const IPS = ['10.1.0.1', '10.1.0.2', '10.1.0.3']
const MANY = Array.from({ length: 3000 }, (_, i) => `10.1.${i >> 8}.${i & 255}`)

describe('chains are known by their fingerprints', () => {
  test('after a kill: what has changed since the last was written down is written, and nothing is listed', async () => {
    const here = new Scene()
    await here.starts(IPS)
    await here.clock.advance(QUIET_MS)
    here.put(0, '10.1.0.9')
    await here.clock.advance(0)
    const before = here.lines()
    expect(await here.starts(['10.1.0.9', '10.1.0.2', '10.1.0.4'])).toEqual([RESTORE])
    expect(
      here.kernel.commands
        .at(-1)!
        .input!.match(/^:KUBE-S\S+/gm)!
        .toSorted(),
    ).toHaveLength(5)
    await here.starts(['10.1.0.9', '10.1.0.2', '10.1.0.3'])
    expect(here.lines()).toEqual(before)
  })

  test('after a kill and a foreign commit that touched nothing of ours: nothing is written either', async () => {
    const here = new Scene()
    await here.starts(IPS)
    await here.clock.advance(QUIET_MS)
    await here.iptables('-t', 'nat', '-N', 'DOCKER')
    here.ruleset.commit('iptables')
    expect(await here.starts(IPS)).toEqual([])
    expect(here.reports).toMatchObject([{ looked: true, drift: { count: 0 }, units: { added: 0, changed: 0 } }])
  })

  test('what another program did while no process ran is undone, whatever it was', async () => {
    const here = new Scene()
    await here.starts(IPS)
    await here.clock.advance(QUIET_MS)
    await here.ends('ended')
    const before = here.lines()
    const [changed, emptied] = here.chains('KUBE-SVC-') as [string, string]
    await here.iptables('-t', 'nat', '-I', changed, '-j', 'RETURN')
    await here.iptables('-t', 'nat', '-F', emptied)
    await here.iptables('-t', 'nat', '-F', 'KUBE-MARK-MASQ')
    await here.iptables('-t', 'mangle', '-X', 'KUBE-PROXY-CANARY')
    await here.iptables('-t', 'nat', '-N', 'KUBE-SVC-AAAAAAAAAAAAAAAA')
    await here.iptables('-t', 'nat', '-D', 'OUTPUT', '1')
    here.ruleset.commit('iptables')
    expect((await here.starts(IPS)).toSorted()).toEqual(['iptables -t nat -S OUTPUT', RESTORE])
    expect(here.lines()).toEqual(before)
  })

  test('where very many are kept, a start writes its changes first, and then compares', async () => {
    const here = new Scene()
    here.comparedFirst = 0
    await here.starts(IPS)
    await here.clock.advance(QUIET_MS)
    const [, changed] = here.chains('KUBE-SVC-') as [string, string]
    await here.iptables('-t', 'nat', '-F', changed)
    await here.iptables('-t', 'nat', '-D', 'OUTPUT', '1')
    here.ruleset.commit('iptables')
    const ran = await here.starts(['10.1.0.9', '10.1.0.2', '10.1.0.3'])
    expect(ran).toEqual([RESTORE, 'iptables -t nat -S OUTPUT', RESTORE])
    expect(here.reports).toMatchObject([
      { looked: false, doubted: 0 },
      { looked: true, drift: { count: 2 } },
    ])
    const fresh = new Scene()
    await fresh.starts(['10.1.0.9', '10.1.0.2', '10.1.0.3'])
    expect(here.lines()).toEqual(fresh.lines())
  })

  test('a gap means that they are compared, and only those are written that differ', async () => {
    const here = new Scene()
    await here.starts(IPS)
    await here.clock.advance(QUIET_MS)
    const before = here.lines()
    await here.iptables('-t', 'nat', '-F', here.chains('KUBE-SVC-')[0]!)
    expect(await here.ranAfter(() => here.ruleset.miss())).toEqual([RESTORE])
    expect(here.lines()).toEqual(before)
    expect(here.reports.at(-1)!.drift.count).toBe(1)
    await here.clock.advance(QUIET_MS)
    expect(await here.ranAfter(() => here.ruleset.miss())).toEqual([])
    expect(await here.ranAfter(() => here.distrust())).toEqual([])
    expect(here.reports.at(-1)!.looked).toBe(true)
  })

  test('those not taken yet are written again after a gap, and are no drift', async () => {
    const here = new Scene()
    await here.starts(IPS)
    await here.clock.advance(QUIET_MS)
    here.put(0, '10.1.0.9')
    await here.clock.advance(0)
    expect(await here.ranAfter(() => here.ruleset.miss())).toEqual([RESTORE])
    expect(here.reports.at(-1)).toMatchObject({ drift: { count: 0 } })
    const before = here.lines()
    await here.clock.advance(QUIET_MS)
    expect(await here.ranAfter(() => here.ruleset.miss())).toEqual([])
    expect(here.lines()).toEqual(before)
  })

  test('where many chains stand and nothing is known of them, they are written again by name, and others deleted', async () => {
    const here = new Scene()
    await here.starts(MANY)
    const before = here.lines()
    await here.ends('killed')
    here.kept.clear()
    await here.iptables('-t', 'nat', '-I', here.chains('KUBE-SVC-')[0]!, '-j', 'RETURN')
    await here.iptables('-t', 'nat', '-N', 'KUBE-SVC-AAAAAAAAAAAAAAAA')
    const ran = await here.starts(MANY)
    expect(ran.filter(words => words.includes('save'))).toEqual([])
    expect(ran.filter(words => words === RESTORE).length).toBeGreaterThan(0)
    expect(here.lines()).toEqual(before)
  })
})

describe('what is written down', () => {
  test('is written a while after the first change; what changes later is added, and so it is by an ending process', async () => {
    const here = new Scene()
    await here.starts(IPS)
    await here.clock.advance(QUIET_MS)
    let last = here.kept.get('belief-ipv4')!
    for (let second = 1; second <= 100; second++) {
      here.put(second % 3, `10.1.1.${second}`)
      await here.clock.advance(2000)
      const now = here.kept.get('belief-ipv4')!
      expect(now.startsWith(last)).toBe(true)
      expect(now.slice(last.length)).toMatch(/^\{.*\}\n(?:\S+ \S+ nat KUBE-(?:SVC|SEP)-\S+\n){3}\S+\n$/)
      expect(keptBelief(now, IDENTITY)!.generation).toBe(here.ruleset.generation())
      last = now
    }
    here.put(0, '10.1.1.200')
    await here.clock.advance(0)
    await here.ends('ended')
    expect(here.kept.get('belief-ipv4')!.startsWith(last)).toBe(true)
    expect(keptBelief(here.kept.get('belief-ipv4')!, IDENTITY)!.generation).toBe(here.ruleset.generation())
    expect(await here.starts(['10.1.1.200', '10.1.1.100', '10.1.1.98'])).toEqual([])
  })

  test('is gone on with by the next process, and written whole again where it is gone', async () => {
    const here = new Scene()
    await here.starts(IPS)
    await here.ends('ended')
    const first = here.kept.get('belief-ipv4')!
    await here.starts(IPS)
    here.put(0, '10.1.1.1')
    await here.clock.advance(QUIET_MS)
    const second = here.kept.get('belief-ipv4')!
    expect([second.startsWith(first), second.length - first.length < first.length]).toEqual([true, true])
    here.kept.clear()
    here.put(0, '10.1.1.2')
    await here.clock.advance(QUIET_MS)
    const { generation, units } = keptBelief(here.kept.get('belief-ipv4')!, IDENTITY)!
    expect([generation, units.size]).toEqual([here.ruleset.generation(), keptBelief(first, IDENTITY)!.units.size])
  })

  test('is written whole once a minute at most, where more may have changed than was written', async () => {
    const here = new Scene()
    await here.starts(IPS)
    const times: number[] = []
    let last = here.kept.get('belief-ipv4')
    for (let second = 1; second <= 200; second++) {
      here.distrust()
      here.ruleset.commit('nft')
      await here.clock.advance(1000)
      const now = here.kept.get('belief-ipv4')
      if (now !== last) times.push(second)
      last = now
    }
    expect(times.length).toBeGreaterThan(1)
    expect(times.length).toBeLessThan(5)
  })

  test('is written anew once it has grown to more than twice its length', async () => {
    const here = new Scene()
    await here.starts(IPS)
    await here.clock.advance(QUIET_MS)
    let [last, anew, longest] = [here.kept.get('belief-ipv4')!, 0, 0]
    for (let change = 1; change <= 5000 && anew < 2; change++) {
      here.put(change % 3, `10.1.${1 + (change >> 8)}.${change & 255}`)
      await here.clock.advance(2000)
      const now = here.kept.get('belief-ipv4')!
      if (!now.startsWith(last)) anew++
      longest = Math.max(longest, now.length)
      last = now
    }
    expect(anew).toBe(2)
    expect(longest).toBeLessThan(200_000)
  })

  test('is of no generation where rules changed while it was written', async () => {
    const kept = new Map<string, string>()
    let [generation, isMoving] = [1, false]
    const keeper = new Keeper({
      keeping: { keep: paperKeep(kept), identity: [] },
      name: 'belief',
      mode: iptables(TOOLS),
      sync: { certain: new Map([['nat KUBE-SVC-A', '-A KUBE-SVC-A -j RETURN']]) } as unknown as Sync,
      fingerprints: undefined,
      kernelWatch: {
        isExact: true,
        generation: () => (isMoving ? generation++ : generation),
        namespace: () => 'paper',
      } as unknown as KernelWatch,
      clock: new PaperClock(),
      onQuestion: () => {},
    })
    const saved = async () => {
      await keeper.save()
      const belief = keptBelief(kept.get('belief')!, ['iptables', 'paper'])
      return [belief?.units.size, belief?.generation]
    }
    expect(await saved()).toEqual([1, 1])
    isMoving = true
    keeper.changed('all')
    expect(await saved()).toEqual([1, undefined])
  })

  test('has no fingerprint that was taken while a run went on: what it reads may be what another program wrote', async () => {
    const here = new Scene()
    await here.starts(IPS)
    await here.clock.advance(500)
    const { promise, resolve } = Promise.withResolvers<void>()
    here.waits.set('iptables -t nat -S OUTPUT', promise)
    await here.iptables('-t', 'nat', '-A', 'OUTPUT', '-j', 'ACCEPT')
    here.ruleset.commit('iptables', touchOf('add rule ip nat OUTPUT'))
    await here.clock.advance(0)
    const { asked } = here.dump
    await here.clock.advance(QUIET_MS)
    expect([here.dump.asked, here.kept.size]).toEqual([asked, 0])
    resolve()
    await here.clock.advance(QUIET_MS)
    expect(here.dump.asked).toBeGreaterThan(asked)
    expect(here.kept.size).toBe(1)
  })
})
