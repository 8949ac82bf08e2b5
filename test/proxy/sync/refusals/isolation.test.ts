import { describe, expect, test } from 'vitest'
import { PaperClock } from '#lab/paper/clock.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { PaperRulesetWatch } from '#lab/paper/ruleset-watch.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { iptables } from '#proxy/modes/iptables/index.ts'
import { Lane } from '#proxy/sync/lane.ts'
import type { Report } from '#proxy/sync/report.ts'
import type { Command, Outcome } from '#system/ports.ts'
import { endpoint, port, service, slice, slicePort } from '../../../support/objects.ts'
import { VIEW } from '../view.ts'

// One Service whose rules the tool refuses: it is named, all others are written, and it is tried again by itself.

const OK: Outcome = { code: 0, stdout: '', stderr: '' }
const GUILTY = '-m comment --comment "shop/s7:x"'

/** How a tool says what it refused: with the line, with the end of the block, without either. */
const ANSWERS = {
  'the line': lines => `Error occurred at line: ${lines.findIndex(line => line.includes(GUILTY)) + 1}`,
  'the block': lines => {
    const at = lines.findIndex(line => line.includes(GUILTY))
    return `line ${lines.indexOf('COMMIT', at) + 1} failed: Invalid argument`
  },
  nothing: () => 'Invalid argument',
} satisfies Readonly<Record<string, (lines: readonly string[]) => string>>
type Answer = keyof typeof ANSWERS

interface SceneOptions {
  readonly variant: 'nft' | 'legacy'
  readonly answer: Answer
  readonly services: number
}

class Scene {
  readonly kernel = new PaperKernel()
  readonly clock = new PaperClock()
  readonly reports: Report[] = []
  readonly cluster = new Cluster()
  readonly stop = new AbortController()
  readonly lane: Lane
  readonly #answer: Answer
  refuses = true
  restores = 0

  constructor({ variant, answer, services }: SceneOptions) {
    this.#answer = answer
    const name = `iptables-${variant}`
    this.lane = new Lane({
      family: 'ipv4',
      cluster: this.cluster,
      mode: iptables({ family: 'ipv4', variant, restore: `${name}-restore`, save: `${name}-save` }),
      kernel: { run: command => this.#run(command) },
      ruleset: new PaperRulesetWatch(),
      clock: this.clock,
      limits: { minMs: 0, retryMs: 30_000, distrustMs: 1e9, unwatchedMs: 1e9 },
      nodeReader: () => ({
        thisNode: { family: 'ipv4', nodeName: 'here', masquerade: 'never' },
        view: VIEW,
        addresses: [],
      }),
      onReport: report => this.reports.push(report),
    })
    for (let i = 0; i < services; i++) this.put(i, i === 7 ? 'x' : '')
    for (const kind of ['Service', 'EndpointSlice', 'Node'] as const) this.cluster.apply({ type: 'synced', kind })
    this.lane.touch([])
    void this.lane.run(this.stop.signal)
  }

  put(i: number, portName: string, ip = `10.1.${i >> 8}.${i & 255}`): void {
    const name = `shop/s${i}`
    const ports = [port({ port: 80, name: portName })]
    const object = service(name, [`10.96.${i >> 8}.${i & 255}`], { ports })
    this.lane.touch(this.cluster.apply({ type: 'put', object }).services)
    const pods = slice(`${name}-1`, name, [endpoint(ip)], { ports: [slicePort(8080, portName)] })
    this.lane.touch(this.cluster.apply({ type: 'put', object: pods }).services)
  }

  /** Blocks before the refused one are carried out, as by the tools. */
  async #run(command: Command): Promise<Outcome> {
    if (command.does === 'conntrack') return OK
    const { input } = command
    if (input === undefined || !this.refuses || !input.includes(GUILTY)) return this.#kernelRuns(command)
    const blocks = input.split(/(?<=^COMMIT\n)/m)
    const refused = blocks.findIndex(block => block.includes(GUILTY))
    if (refused > 0) await this.#kernelRuns({ ...command, input: blocks.slice(0, refused).join('') })
    return { code: 2, stdout: '', stderr: ANSWERS[this.#answer](input.split('\n')) }
  }

  #kernelRuns(command: Command): Promise<Outcome> {
    if (command.does === 'restore') this.restores++
    return this.kernel.run(command)
  }

  /** The Services that clients reach, by what the kernel's rules mention. */
  served(): number {
    return new Set(this.kernel.dump().match(/--comment "shop\/s\d+(?::x)?" .*-j DNAT/g)).size
  }
}

describe.each(['nft', 'legacy'] as const)('a Service whose rules iptables-%s refuses', variant => {
  test.each(['the line', 'the block', 'nothing'] as const)(
    'is left out and named where the tool says %s; the other 999 are served',
    async answer => {
      const here = new Scene({ variant, answer, services: 1000 })
      await here.clock.advance(0)
      expect(here.served()).toBe(999)
      const [report, ...more] = here.reports
      expect([report!.failure, more]).toEqual([undefined, []])
      expect(report!.refused!.map(({ owner }) => owner)).toEqual(['shop/s7:x/tcp'])
      if (answer === 'the line') expect(report!.refused![0]!.unit).toMatch(/^nat KUBE-S(?:VC|EP)-/)
      expect([...here.lane.draft.book.withheld.keys()]).toEqual(['shop/s7:x/tcp'])
      here.stop.abort()
    },
    60_000,
  )

  test('is tried again by itself, ever later and reported once, until it is taken', async () => {
    const here = new Scene({ variant, answer: 'the line', services: 20 })
    await here.clock.advance(0)
    await here.clock.advance(9_000)
    expect(here.reports).toHaveLength(1)
    await here.clock.advance(1_000)
    expect(here.reports.slice(1).map(({ refused, failure }) => [refused, failure])).toEqual([[[], undefined]])
    await here.clock.advance(19_000)
    expect(here.reports).toHaveLength(2)
    here.refuses = false
    await here.clock.advance(1_000)
    expect([here.served(), here.lane.draft.book.withheld.size]).toEqual([20, 0])
    await here.clock.advance(3_600_000)
    expect(here.reports).toHaveLength(3)
    here.stop.abort()
  })

  test('does not hold up the changes of others, and is tried at once when it changes itself', async () => {
    const here = new Scene({ variant, answer: 'the line', services: 20 })
    await here.clock.advance(0)
    here.put(3, '', '10.1.9.9')
    await here.clock.advance(0)
    expect(here.kernel.dump()).toContain('10.1.9.9:8080')
    expect(here.reports.at(-1)!.refused).toEqual([])
    here.put(7, '')
    await here.clock.advance(0)
    expect([here.served(), here.lane.draft.book.withheld.size]).toEqual([20, 0])
    here.stop.abort()
  })

  test('keeps the rules that were taken before', async () => {
    const here = new Scene({ variant, answer: 'the line', services: 5 })
    await here.clock.advance(0)
    here.put(7, '', '10.1.9.7')
    await here.clock.advance(0)
    expect(here.served()).toBe(6)
    here.put(7, '', '10.1.9.8')
    const { run } = here.kernel
    here.kernel.run = async command =>
      command.input?.includes('10.1.9.8:8080')
        ? {
            ...OK,
            code: 2,
            stderr: `line ${command.input.split('\n').findIndex(line => line.includes('10.1.9.8:8080')) + 1} failed`,
          }
        : run.call(here.kernel, command)
    await here.clock.advance(0)
    expect(here.kernel.dump()).toContain('10.1.9.7:8080')
    expect(here.reports.at(-1)!.refused!.map(({ owner }) => owner)).toEqual(['shop/s7/tcp'])
    here.stop.abort()
  })
})

test('a document that is refused for a reason no Service has is a failure, as before', async () => {
  const here = new Scene({ variant: 'nft', answer: 'nothing', services: 20 })
  here.kernel.failWhen(({ does }) => does === 'restore', { code: 1, stdout: '', stderr: 'Invalid argument' })
  await here.clock.advance(0)
  expect(here.reports.map(({ failure }) => String(failure?.error))).toEqual([
    'CommandFailed: iptables-nft-restore exited with 2: Invalid argument',
  ])
  expect(here.lane.draft.book.withheld.size).toBe(0)
  here.stop.abort()
})
