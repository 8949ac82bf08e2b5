import { describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { PaperRulesetWatch, touchOf } from '#lab/paper/ruleset-watch.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { iptables } from '#proxy/modes/iptables/index.ts'
import { resumed, rewriting, UNKNOWN_TEXT } from '#proxy/sync/belief/belief.ts'
import { Lane } from '#proxy/sync/lane.ts'
import type { Report } from '#proxy/sync/report.ts'
import { textNumber } from '#values/digest.ts'
import { endpoint, port, service, slice, slicePort } from '../../../support/objects.ts'
import { ruleset, unit, unitSet } from '../../../support/units.ts'
import { VIEW } from '../view.ts'

// What another program touched is in doubt, and nothing else: it is read, or written again.

const TOOLS = { family: 'ipv4', variant: 'nft', restore: 'iptables-restore', save: 'iptables-save' } as const
const HOUR_MS = 3_600_000

class Scene {
  readonly kernel = new PaperKernel()
  readonly ruleset = new PaperRulesetWatch()
  readonly clock = new PaperClock()
  readonly reports: Report[] = []
  readonly cluster = new Cluster()
  readonly stop = new AbortController()
  readonly lane: Lane
  readonly #running: Promise<void>

  constructor(services = 3) {
    this.lane = new Lane({
      family: 'ipv4',
      cluster: this.cluster,
      mode: iptables(TOOLS),
      kernel: {
        run: async command =>
          command.does === 'conntrack' ? { code: 0, stdout: '', stderr: '' } : this.kernel.run(command),
      },
      ruleset: this.ruleset,
      clock: this.clock,
      limits: { minMs: 10_000, retryMs: 30_000, distrustMs: HOUR_MS, unwatchedMs: 30_000 },
      nodeReader: () => ({
        thisNode: { family: 'ipv4', nodeName: 'here', masquerade: 'never' },
        view: VIEW,
        addresses: [],
      }),
      onReport: report => this.reports.push(report),
    })
    for (let i = 0; i < services; i++) {
      const name = `shop/s${i}`
      this.cluster.apply({ type: 'put', object: service(name, [`10.96.0.${i + 1}`], { ports: [port({ port: 80 })] }) })
      const object = slice(`${name}-1`, name, [endpoint(`10.1.0.${i + 1}`)], { ports: [slicePort(8080)] })
      this.lane.touch(this.cluster.apply({ type: 'put', object }).services)
    }
    for (const kind of ['Service', 'EndpointSlice', 'Node'] as const) this.cluster.apply({ type: 'synced', kind })
    this.lane.touch([])
    this.#running = this.lane.run(this.stop.signal)
  }

  async iptables(...words: readonly string[]): Promise<void> {
    expect(await this.kernel.run(anyCommand(['iptables', ...words]))).toMatchObject({ code: 0 })
  }

  /** What the lane runs after these touches, without waiting for the minimum between two syncs. */
  async after(...touches: readonly string[]): Promise<readonly string[]> {
    await this.clock.advance(1000)
    const before = this.kernel.commands.length
    this.ruleset.commit('iptables', ...touches.map(touchOf))
    await this.clock.advance(0)
    return this.kernel.commands.slice(before).map(({ argv }) => argv.join(' '))
  }

  chains(start: string): readonly string[] {
    return [...new Set(this.kernel.dump().match(new RegExp(`${start}[A-Z2-7]{16}`, 'g')))]
  }

  async end(): Promise<void> {
    this.stop.abort()
    await this.#running
  }
}

const RESTORE = 'iptables-restore -w 5 --noflush --counters'

describe('of rules that another program has touched', () => {
  test('a chain of ours is read alone, and written where it differs', async () => {
    const here = new Scene()
    await here.clock.advance(0)
    const before = here.kernel.dump()
    const [chain] = here.chains('KUBE-SVC-') as [string]
    await here.iptables('-t', 'nat', '-I', chain, '-j', 'RETURN')
    expect(await here.after(`add rule ip nat ${chain}`)).toEqual([`iptables -t nat -S ${chain}`, RESTORE])
    expect(here.kernel.dump()).toBe(before)
    expect(here.reports.at(-1)).toMatchObject({
      looked: false,
      doubted: 1,
      drift: { count: 1, units: [`nat ${chain}`] },
    })
    expect(await here.after(`add rule ip nat ${chain}`)).toEqual([`iptables -t nat -S ${chain}`])
    await here.end()
  })

  test('a built-in chain is read, and only our lines in it count', async () => {
    const here = new Scene()
    await here.clock.advance(0)
    await here.iptables('-t', 'nat', '-A', 'OUTPUT', '-j', 'ACCEPT')
    expect(await here.after('add rule ip nat OUTPUT')).toEqual(['iptables -t nat -S OUTPUT'])
    expect(here.reports.at(-1)).toMatchObject({ doubted: 1, drift: { count: 0 } })
    const before = here.kernel.dump()
    await here.iptables('-t', 'nat', '-D', 'OUTPUT', '1')
    expect(await here.after('delete rule ip nat OUTPUT')).toEqual(['iptables -t nat -S OUTPUT', RESTORE])
    expect(here.kernel.dump()).toBe(before)
    await here.end()
  })

  test('very many chains are written again unread, and those that ought not to be there are deleted', async () => {
    const here = new Scene(20)
    await here.clock.advance(0)
    const before = here.kernel.dump()
    const chains = [...here.chains('KUBE-SVC-'), ...here.chains('KUBE-SEP-')]
    const foreign = 'KUBE-SVC-AAAAAAAAAAAAAAAA'
    await here.iptables('-t', 'nat', '-F')
    await here.iptables('-t', 'nat', '-N', foreign)
    const touches = [...chains, 'KUBE-SERVICES', 'PREROUTING', 'OUTPUT', 'POSTROUTING', foreign]
    // A chain that is there no more when the lane writes is no matter either.
    const gone = 'KUBE-SVC-BBBBBBBBBBBBBBBB'
    const ran = await here.after(...[...touches, gone].map(chain => `delete rule ip nat ${chain}`))
    expect([...ran].sort()).toEqual([
      'iptables -t nat -S OUTPUT',
      'iptables -t nat -S POSTROUTING',
      'iptables -t nat -S PREROUTING',
      RESTORE,
    ])
    await here.after('delete rule ip nat KUBE-POSTROUTING', 'delete rule ip nat KUBE-MARK-MASQ')
    expect(here.kernel.dump()).toBe(before)
    await here.end()
  })

  test('nothing is read where every commit was ours or touched nothing of ours: the hourly audit is one number', async () => {
    const here = new Scene()
    await here.clock.advance(0)
    const ran = here.kernel.commands.length
    await here.after('add rule ip nat DOCKER')
    await here.clock.advance(HOUR_MS)
    expect(here.kernel.commands.length).toBe(ran)
    expect(here.reports.at(-1)).toMatchObject({ looked: true, drift: { count: 0 } })
    here.ruleset.complete = false
    await here.clock.advance(HOUR_MS)
    expect(here.kernel.commands.slice(ran).map(({ argv }) => argv.join(' '))).toEqual(['iptables-save'])
    await here.end()
  })

  test('everything is read, once and in the background, after a gap', async () => {
    const here = new Scene()
    await here.clock.advance(0)
    const before = here.kernel.dump()
    const ran = here.kernel.commands.length
    await here.iptables('-t', 'nat', '-F')
    here.ruleset.gap()
    await here.clock.advance(0)
    expect(here.kernel.commands.slice(ran + 1).map(({ argv }) => argv.join(' '))).toEqual(['iptables-save', RESTORE])
    expect(here.kernel.dump()).toBe(before)
    expect(here.reports.at(-1)!.drift.count).toBeGreaterThan(5)
    await here.end()
  })

  test('a gap during an audit means another', async () => {
    const here = new Scene()
    await here.clock.advance(0)
    const ran = here.kernel.commands.length
    here.ruleset.gap()
    here.ruleset.gap()
    here.ruleset.gap()
    await here.clock.advance(0)
    expect(here.kernel.commands.slice(ran).map(({ argv }) => argv.join(' '))).toEqual([
      'iptables-save',
      'iptables-save',
    ])
    await here.end()
  })
})

describe('what another process kept', () => {
  test('has its text where that is wanted now, and no text that a unit may have where it is not', () => {
    const kept = new Map([
      [unit('same'), textNumber('1')],
      [unit('other'), textNumber('1')],
      [unit('gone'), textNumber('1')],
    ])
    const { installed, doubts } = resumed(kept, ruleset({ same: '1', other: '2', more: '1' }))
    expect(installed).toEqual(ruleset({ same: '1', other: UNKNOWN_TEXT, gone: UNKNOWN_TEXT }))
    expect(doubts.units).toEqual(unitSet('other', 'gone'))
  })
})

describe('what is written whatever stands there', () => {
  const plan = {
    ...{ add: ruleset({ new: '1' }), change: ruleset({ a: '1', b: '1' }) },
    ...{ before: ruleset({ a: '0', b: UNKNOWN_TEXT }), remove: unitSet('gone') },
  }

  test('comes as if it were new, and goes where it is not wanted', () => {
    expect(rewriting(plan, unitSet('a', 'c', 'extra'), ruleset({ new: '1', a: '1', b: '1', c: '1' }))).toEqual({
      ...{ add: ruleset({ new: '1', a: '1', c: '1' }), change: ruleset({ b: '1' }) },
      ...{ before: ruleset({}), remove: unitSet('gone', 'extra') },
    })
  })

  test('is nothing where all is known; a text that is not known is not shown as one that was', () => {
    expect(rewriting(plan, unitSet(), ruleset({}))).toEqual({ ...plan, before: ruleset({ a: '0' }) })
  })
})
