import { describe, expect, test } from 'vitest'
import type { ClusterObject } from '#kubernetes/objects.ts'
import { anyCommand } from '#lab/any-command.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import type { Mode } from '#proxy/modes/mode.ts'
import { Lane } from '#proxy/sync/lane.ts'
import type { Report } from '#proxy/sync/report.ts'
import type { Command, Kernel, Outcome } from '#system/ports.ts'
import { endpoint, name, port, service, slice, slicePort } from '../../support/objects.ts'
import { unit, unitText } from '../../support/units.ts'
import { VIEW } from './view.ts'

// A lane between a mode of one unit per service port and a kernel that remembers its commands.

const OK: Outcome = { code: 0, stdout: '', stderr: '' }

const mode: Mode = {
  name: 'iptables',
  needs: {},
  portions: plan => [plan],
  base: ({ endpointComments }) => [{ unit: unit('base'), text: `comments ${endpointComments}` }],
  service: ({ id, pools }) => [{ unit: unit(`port ${id}`), text: pools.cluster.map(({ text }) => text).join(' ') }],
  write: ({ add, change, remove }) =>
    add.size + change.size + remove.size === 0
      ? []
      : [
          anyCommand(['write'], {
            input: [
              ...[...add.keys(), ...change.keys()].map(unitText),
              ...[...remove].map(unit => `-${unitText(unit)}`),
            ].join('\n'),
          }),
        ],
  read: async kernel => {
    await kernel.run(anyCommand(['read']))
    return new Map()
  },
  trace: () => [],
}

class Scene {
  readonly commands: Command[] = []
  readonly reports: Report[] = []
  readonly clock = new PaperClock()
  readonly cluster = new Cluster()
  readonly stop = new AbortController()
  answers: (command: Command) => Outcome = () => OK
  addresses: readonly string[] = []
  readonly lane: Lane

  constructor(using = mode) {
    this.lane = this.laneOf(this.cluster, using)
  }

  laneOf(cluster: Cluster, using = mode): Lane {
    const kernel: Kernel = {
      run: async command => {
        this.commands.push(command)
        return this.answers(command)
      },
    }
    return new Lane({
      family: 'ipv4',
      cluster,
      mode: using,
      kernel,
      clock: this.clock,
      limits: { minMs: 1000, retryMs: 30_000, distrustMs: 3_600_000, unwatchedMs: 600_000 },
      nodeReader: (_, endpoints) => ({
        thisNode: { family: 'ipv4', nodeName: 'here', masquerade: 'never' },
        view: { ...VIEW, endpointComments: endpoints <= 2 },
        addresses: this.addresses as never,
      }),
      onReport: report => this.reports.push(report),
    })
  }

  put(...objects: readonly ClusterObject[]): void {
    for (const object of objects) this.lane.touch(this.cluster.apply({ type: 'put', object }).services)
  }

  sync(): void {
    this.cluster.apply({ type: 'synced', kind: 'Service' })
    this.cluster.apply({ type: 'synced', kind: 'EndpointSlice' })
    this.cluster.apply({ type: 'synced', kind: 'Node' })
    this.lane.touch([])
  }

  written(): readonly (string | undefined)[] {
    return this.commands.filter(({ argv }) => argv[0] === 'write').map(({ input }) => input)
  }
}

const CART = service('shop/cart', ['10.96.0.10'])

describe('a lane', () => {
  test('touches nothing before Services and EndpointSlices have been listed to the end', async () => {
    const here = new Scene()
    const done = here.lane.run(here.stop.signal)
    here.put(CART)
    await here.clock.advance(5000)
    expect(here.commands).toEqual([])
    here.sync()
    await here.clock.advance(0)
    expect(here.written()).toEqual(['base\nport shop/cart'])
    here.stop.abort()
    await done
  })

  test('waits for as long as the lists do not arrive, however long that is, and leaves the process its time', async () => {
    const here = new Scene()
    let asked = 0
    const cluster = new Proxy(here.cluster, {
      get: (of, name) => {
        // One that asks again and again in one turn would not let any other work be done.
        if (name === 'complete' && ++asked > 1000) throw new Error('asked without an end')
        const found: unknown = Reflect.get(of, name, of)
        return typeof found === 'function' ? found.bind(of) : found
      },
    })
    const lane = here.laneOf(cluster)
    const done = lane.run(here.stop.signal)
    await here.clock.advance(24 * 3_600_000)
    expect(here.commands).toEqual([])
    here.sync()
    lane.touch([])
    await here.clock.advance(0)
    expect(here.written()).toEqual(['base'])
    here.stop.abort()
    await done
  })

  test('with very many Services leaves time for health checks between two steps, and writes all of them at once', async () => {
    const here = new Scene()
    for (let n = 0; n < 200; n++) here.put(service(`shop/s${n}`, [`10.96.1.${n + 1}`]))
    here.sync()
    let turns = 0
    const sleep = here.clock.sleep.bind(here.clock)
    here.clock.sleep = (ms, signal) => {
      if (ms === 0) turns++
      return sleep(ms, signal)
    }
    const done = here.lane.run(here.stop.signal)
    await here.clock.advance(0)
    expect(turns).toBeGreaterThan(5)
    expect(here.written()).toHaveLength(1)
    expect(here.reports[0]!.serviceChanges.added).toHaveLength(200)
    expect(here.reports[0]!.units.added).toBe(201)
    here.stop.abort()
    await done
  })

  test('reads the kernel first, and afterwards only writes what changed', async () => {
    const here = new Scene()
    here.put(CART)
    here.sync()
    expect((await here.lane.once()).looked).toBe(true)
    here.put(slice('shop/a', 'shop/cart', [endpoint('10.1.0.1')]))
    const report = await here.lane.once()
    expect(report).toMatchObject({ looked: false, units: { added: 0, changed: 1, removed: 0 } })
    expect(here.written().at(-1)).toBe('port shop/cart')
  })

  test('makes one run of many requests, and leaves the minimum time between two', async () => {
    const here = new Scene()
    here.sync()
    const done = here.lane.run(here.stop.signal)
    await here.clock.advance(0)
    for (let i = 1; i < 10; i++) here.put(service(`shop/s${i}`, [`10.96.0.${i}`]))
    await here.clock.advance(999)
    expect(here.reports).toHaveLength(1)
    await here.clock.advance(1)
    expect(here.reports).toHaveLength(2)
    expect(here.reports[1]!.units.added).toBe(9)
    here.stop.abort()
    await done
  })

  test('after a failure believes nothing, says when it tries again, and then writes all', async () => {
    const here = new Scene()
    here.put(CART)
    here.sync()
    await here.lane.once()
    here.answers = ({ argv }) => (argv[0] === 'write' ? { code: 4, stdout: '', stderr: 'line 1 failed' } : OK)
    const done = here.lane.run(here.stop.signal)
    here.put(service('shop/b', ['10.96.0.11']))
    await here.clock.advance(1000)
    expect(here.reports.at(-1)!.failure).toMatchObject({ retryMs: 1000 })
    await here.clock.advance(1000)
    expect(here.reports.at(-1)!.failure).toMatchObject({ retryMs: 2000 })
    here.answers = () => OK
    await here.clock.advance(2000)
    expect(here.reports.at(-1)).toMatchObject({ looked: true, units: { added: 3 } })
    expect(here.reports.at(-1)!.failure).toBeUndefined()
    here.stop.abort()
    await done
  })

  test('reads the kernel again where no program reports changes, however many changes of its own there are', async () => {
    const here = new Scene()
    here.sync()
    const done = here.lane.run(here.stop.signal)
    await here.clock.advance(0)
    for (let i = 0; i < 9; i++) {
      await here.clock.advance(61_000)
      here.put(service(`shop/s${i}`, [`10.96.0.${i + 1}`]))
    }
    await here.clock.advance(61_000)
    expect(here.reports.filter(({ looked }) => looked)).toHaveLength(2)
    here.stop.abort()
    await done
  })

  test('reports which service ports were added, changed and removed', async () => {
    const here = new Scene()
    here.put(CART)
    here.sync()
    const ids = (list: readonly { id: string }[]): readonly string[] => list.map(({ id }) => id)
    expect(ids((await here.lane.once()).serviceChanges.added)).toEqual(['shop/cart'])
    here.put(slice('shop/a', 'shop/cart', [endpoint('10.1.0.1')]))
    expect((await here.lane.once()).serviceChanges).toEqual({ added: [], updated: [], removed: [] })
    here.put({ ...CART, ports: [port({ port: 81 })] })
    expect(ids((await here.lane.once()).serviceChanges.updated)).toEqual(['shop/cart'])
    here.lane.touch(here.cluster.apply({ type: 'gone', kind: 'Service', name: name('shop/cart') }).services)
    expect(ids((await here.lane.once()).serviceChanges.removed)).toEqual(['shop/cart'])
  })

  test('draws everything again when the cluster grows large, and when it shrinks', async () => {
    const here = new Scene()
    here.put(CART)
    here.sync()
    await here.lane.once()
    here.put(
      slice(
        'shop/a',
        'shop/cart',
        ['10.1.0.1', '10.1.0.2', '10.1.0.3'].map(ip => endpoint(ip)),
      ),
    )
    await here.lane.once()
    expect(here.lane.draft.book.rules.get(unit('base'))).toBe('comments false')
    here.put(slice('shop/a', 'shop/cart', [endpoint('10.1.0.1')]))
    await here.lane.once()
    expect(here.lane.draft.book.rules.get(unit('base'))).toBe('comments true')
  })
})

describe('conntrack entries to delete', () => {
  const DNS = service('shop/dns', ['10.96.0.53'], { ports: [port({ port: 53, protocol: 'udp', nodePort: 30053 })] })
  const pods = (...ips: readonly string[]): ClusterObject =>
    slice(
      'shop/dns-1',
      'shop/dns',
      ips.map(ip => endpoint(ip)),
      { family: 'ipv4', ports: [slicePort(5353, '', 'udp')] },
    )
  const flow = (to: string, port: number, answer: string, answerPort = 5353): string =>
    `udp      17 99 src=10.1.9.9 dst=${to} sport=999 dport=${port} src=${answer} dst=10.1.9.9 sport=${answerPort} dport=999 mark=0 use=1`

  async function forgotten(here: Scene, table: readonly string[]): Promise<readonly string[]> {
    here.commands.length = 0
    here.answers = ({ argv }) => (argv.includes('-L') ? { ...OK, stdout: table.join('\n') } : OK)
    await here.lane.once()
    const batch = here.commands.find(({ argv }) => argv[0] === 'sh')?.input ?? ''
    return batch
      .split('\n')
      .filter(Boolean)
      .map(line => / --orig-dst (\S+) --orig-port-dst (\d+) --reply-src /.exec(line)!.slice(1).join(':'))
  }

  async function standing(using = mode): Promise<Scene> {
    const here = new Scene(using)
    here.addresses = ['10.99.0.2']
    here.put(DNS, pods('10.1.0.1', '10.1.0.2'))
    here.sync()
    await here.lane.once()
    return here
  }

  test('go when their endpoint goes, and stay where it stays', async () => {
    const here = await standing()
    here.put(pods('10.1.0.1'))
    const table = [flow('10.96.0.53', 53, '10.1.0.1'), flow('10.96.0.53', 53, '10.1.0.2')]
    expect(await forgotten(here, table)).toEqual(['10.96.0.53:53'])
  })

  test('go all at once, however many clients had the same endpoint', async () => {
    const here = await standing()
    here.put(pods('10.1.0.1'))
    const many = Array.from({ length: 500 }, (_, i) =>
      flow('10.96.0.53', 53, '10.1.0.2').replace('sport=999', `sport=${10_000 + i}`),
    )
    expect(await forgotten(here, many)).toEqual(['10.96.0.53:53'])
  })

  test('go when the last endpoint goes', async () => {
    const here = await standing()
    here.put(pods())
    expect(await forgotten(here, [flow('10.96.0.53', 53, '10.1.0.2')])).toEqual(['10.96.0.53:53'])
  })

  test('at a node port go only on the node itself, never those to the same port of other hosts', async () => {
    const here = await standing()
    here.put(pods('10.1.0.1'))
    const table = [flow('10.99.0.2', 30053, '10.1.0.2'), flow('8.8.8.8', 30053, '8.8.8.8', 30053)]
    expect(await forgotten(here, table)).toEqual(['10.99.0.2:30053'])
  })

  test('that went past a Service before it came go when it comes', async () => {
    const here = await standing()
    const more = { ...DNS, clusterIPs: DNS.clusterIPs, externalIPs: ['198.18.0.1' as never] }
    here.put(more)
    expect(await forgotten(here, [flow('198.18.0.1', 53, '198.18.0.1', 53)])).toEqual(['198.18.0.1:53'])
  })

  test('that went past a Service while its rules were flushed go when these stand again', async () => {
    const here = await standing()
    here.lane.distrust()
    const table = [flow('10.96.0.53', 53, '10.96.0.53', 53), flow('10.96.0.53', 53, '10.1.0.2')]
    expect(await forgotten(here, table)).toEqual(['10.96.0.53:53'])
  })

  test('so do those of TCP that went past and that no endpoint has answered: their first packets would be repeated in vain', async () => {
    const here = await standing()
    here.put(service('shop/web', ['10.96.0.80']), slice('shop/web-1', 'shop/web', [endpoint('10.1.0.8')]))
    await here.lane.once()
    here.lane.distrust()
    const half = (port: number, answer: string): string =>
      `tcp 6 39 SYN_SENT src=10.1.9.9 dst=10.96.0.80 sport=${port} dport=80 [UNREPLIED] src=${answer} dst=10.1.9.9 sport=80 dport=${port} mark=0 use=1`
    const table = [half(999, '10.96.0.80'), half(998, '10.1.0.8').replace('sport=80 ', 'sport=8080 ')]
    expect(await forgotten(here, table)).toEqual(['10.96.0.80:80'])
    const lists = here.commands.filter(({ argv }) => argv.includes('-L')).map(({ argv }) => argv.slice(5).join(' '))
    expect(lists).toEqual(['udp', 'tcp --state SYN_SENT'])
    expect(here.commands.find(({ argv }) => argv[0] === 'sh')!.input).toContain(
      '-p tcp --state SYN_SENT --orig-dst 10.96.0.80',
    )
  })

  test('none goes that a listener of the relay answers in place of the endpoint', async () => {
    const proxyPorts = { isListener: () => false, listeners: () => ['the relay'], read: async () => () => 'the relay' }
    const here = await standing({ ...mode, proxyPorts })
    here.lane.distrust()
    expect(await forgotten(here, [flow('10.96.0.53', 53, '10.99.0.2', 4000)])).toEqual([])
  })

  test('at a frontend that is gone go only where our rules had sent them', async () => {
    const here = await standing()
    here.lane.touch(here.cluster.apply({ type: 'gone', kind: 'Service', name: name('shop/dns') }).services)
    const table = [flow('10.96.0.53', 53, '10.1.0.2'), flow('10.96.0.53', 53, '10.96.0.53', 53)]
    expect(await forgotten(here, table)).toEqual(['10.96.0.53:53'])
  })

  test('are still pending after a sync that failed', async () => {
    const here = await standing()
    here.put(pods('10.1.0.1'))
    here.answers = ({ argv }) => (argv[0] === 'write' ? { ...OK, code: 1 } : OK)
    expect((await here.lane.once()).failure).toBeDefined()
    expect(await forgotten(here, [flow('10.96.0.53', 53, '10.1.0.2')])).toEqual(['10.96.0.53:53'])
  })

  test('are still pending after conntrack could not be read', async () => {
    const here = await standing()
    here.put(pods('10.1.0.1'))
    here.answers = ({ argv }) => (argv[0] === 'conntrack' ? { ...OK, code: 127 } : OK)
    const report = await here.lane.once()
    expect(report.failure).toBeUndefined()
    expect(report.flows.error).toBeInstanceOf(Error)
    expect(await forgotten(here, [flow('10.96.0.53', 53, '10.1.0.2')])).toEqual(['10.96.0.53:53'])
  })

  test('are tried again by themselves, without holding up what changes meanwhile', async () => {
    const here = await standing()
    const done = here.lane.run(here.stop.signal)
    here.answers = ({ argv }) => (argv[0] === 'conntrack' ? { ...OK, code: 1 } : OK)
    here.put(pods('10.1.0.1'))
    await here.clock.advance(1000)
    here.put(service('shop/web', ['10.96.0.80']))
    await here.clock.advance(1000)
    expect(here.written().at(-1)).toBe('port shop/web')
    here.answers = () => OK
    here.commands.length = 0
    await here.clock.advance(30_000)
    expect(here.commands.map(({ argv }) => argv.join(' '))).toEqual([
      'conntrack -L -f ipv4 -p udp',
      'conntrack -L -f ipv4 -p tcp --state SYN_SENT',
    ])
    here.stop.abort()
    await done
  })

  describe('of TCP, without an answer', () => {
    const WEB = service('shop/web', ['10.96.0.80'], { ports: [port({ port: 80, nodePort: 30080 })] })
    const webs = (...ips: readonly string[]): ClusterObject =>
      slice(
        'shop/web-1',
        'shop/web',
        ips.map(ip => endpoint(ip)),
      )
    const half = (to: string, port: number, answer: string, answerPort: number): string =>
      `tcp 6 39 SYN_SENT src=10.1.9.9 dst=${to} sport=999 dport=${port} [UNREPLIED] src=${answer} dst=10.1.9.9 sport=${answerPort} dport=999 mark=0 use=1`
    const passed = half('10.96.0.80', 80, '10.96.0.80', 80)
    const looks = (here: Scene): readonly string[] =>
      here.commands.filter(({ argv }) => argv[0] !== 'write').map(({ argv }) => argv.join(' '))
    const LOOK = 'conntrack -L -f ipv4 -p tcp --state SYN_SENT'

    test('go where a Service comes: their first packets went past it', async () => {
      const here = await standing()
      here.put(WEB, webs('10.1.0.8'))
      const led = half('10.96.0.80', 80, '10.1.0.8', 8080)
      const table = [passed, led, half('10.99.0.2', 30080, '10.99.0.2', 30080), half('10.99.0.9', 80, '10.99.0.9', 80)]
      expect(await forgotten(here, table)).toEqual(['10.96.0.80:80', '10.99.0.2:30080'])
    })

    test('go where a frontend comes, and stay at those that were there', async () => {
      const here = await standing()
      here.put(service('shop/web', ['10.96.0.80']), webs('10.1.0.8'))
      await here.lane.once()
      here.put(WEB)
      expect(await forgotten(here, [passed, half('10.99.0.2', 30080, '10.99.0.2', 30080)])).toEqual(['10.99.0.2:30080'])
    })

    test('go where a Service has its first endpoint: those before it are gone', async () => {
      const here = await standing()
      here.put(WEB, webs('10.1.0.8'))
      await here.lane.once()
      here.put(webs())
      await here.lane.once()
      here.put(webs('10.1.0.9'))
      expect(await forgotten(here, [half('10.96.0.80', 80, '10.1.0.8', 8080)])).toEqual(['10.96.0.80:80'])
    })

    test('cost one look, and no second process where there are none', async () => {
      const here = await standing()
      here.commands.length = 0
      here.put(WEB, webs('10.1.0.8'))
      await here.lane.once()
      expect(looks(here)).toEqual([LOOK])
    })

    test('cost one look and one process at the start of a node with a thousand Services', async () => {
      const here = new Scene()
      const ips = Array.from({ length: 1000 }, (_, n) => `10.97.${n >> 8}.${n & 255}`)
      for (const [n, ip] of ips.entries()) here.put(service(`shop/s${n}`, [ip]))
      here.sync()
      here.clock.sleep = async () => {}
      expect(await forgotten(here, [half(ips[7]!, 80, ips[7]!, 80), half(ips[9]!, 80, ips[9]!, 80)])).toHaveLength(2)
      expect(looks(here)).toEqual(['read', LOOK, expect.stringMatching(/^sh -c /)])
    })

    test('cost nothing where endpoints come and go, or a Service goes', async () => {
      const here = await standing()
      here.put(WEB, webs('10.1.0.8'))
      await here.lane.once()
      here.commands.length = 0
      here.put(webs('10.1.0.8', '10.1.0.9'))
      await here.lane.once()
      here.put(webs('10.1.0.9'))
      await here.lane.once()
      here.lane.touch(here.cluster.apply({ type: 'gone', kind: 'Service', name: name('shop/web') }).services)
      await here.lane.once()
      expect(looks(here)).toEqual([])
    })
  })
})
