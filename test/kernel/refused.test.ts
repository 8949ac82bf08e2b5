import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { named } from '#dialects/iptables.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { iptables } from '#proxy/modes/iptables/index.ts'
import type { Entry, Mode } from '#proxy/modes/mode.ts'
import { nftables } from '#proxy/modes/nftables/index.ts'
import { Lane } from '#proxy/sync/lane.ts'
import { systemClock } from '#system/clock.ts'
import { VIEW } from '../proxy/sync/view.ts'
import { endpoint, port, service, slice, slicePort } from '../support/objects.ts'
import { textsOf, unitText } from '../support/units.ts'
import { cannotRun, type Namespace, newNamespace } from './namespace.ts'

// One Service among 1,000 whose rules the real tools refuse, or the kernel behind them: the other 999 are written.

const why = cannotRun('iptables-nft', 'iptables-legacy', 'nft', 'conntrack')
const SERVICES = 1000
const GUILTY = 'shop/s617'

type Broken = (entry: Entry) => Entry
const addLine =
  (unit: RegExp, line: (chain: string) => string): Broken =>
  entry => {
    const chain = unit.exec(unitText(entry.unit))?.[1]
    return chain === undefined ? entry : { ...entry, text: `${entry.text}\n${line(chain)}` }
  }
const SVC = /^nat (KUBE-SVC-.*)$/

const CASES: readonly (readonly [string, Mode, Broken])[] = [
  [
    'a target that iptables-nft does not know',
    iptables(named('ipv4', 'nft')),
    addLine(SVC, chain => `-A ${chain} -j NOSUCH`),
  ],
  [
    'a loop, which the kernel refuses at the end of the block',
    iptables(named('ipv4', 'nft')),
    addLine(SVC, chain => `-A ${chain} -j ${chain}`),
  ],
  [
    'a target that iptables-legacy does not know',
    iptables(named('ipv4', 'legacy')),
    addLine(SVC, chain => `-A ${chain} -j NOSUCH`),
  ],
  [
    'a statement that nft does not know',
    nftables({ family: 'ipv4', chainRemoval: 'at-once' }),
    addLine(/^chain (.*)$/, () => 'frobnicate'),
  ],
  [
    'an element that nft does not take',
    nftables({ family: 'ipv4', chainRemoval: 'at-once' }),
    entry =>
      unitText(entry.unit).startsWith('element service-ips') ? { ...entry, text: ': goto nosuchchain' } : entry,
  ],
]

describe.skipIf(why !== undefined)(`one Service is refused${why ? ` (skipped: ${why})` : ''}`, () => {
  let namespace: Namespace
  beforeEach(async () => {
    namespace = await newNamespace('refused')
  })
  afterEach(() => namespace.end())

  test.each(CASES)(
    '%s',
    async (_, real, broken) => {
      const mode: Mode = {
        ...real,
        service: (traffic, node) => {
          const entries = real.service(traffic, node)
          return traffic.id === GUILTY ? entries.map(broken) : entries
        },
      }
      const cluster = new Cluster()
      const lane = new Lane({
        family: 'ipv4',
        cluster,
        mode,
        kernel: namespace.kernel,
        clock: systemClock,
        limits: { minMs: 0, retryMs: 30_000, distrustMs: 1e9, unwatchedMs: 1e9 },
        nodeReader: () => ({
          thisNode: { family: 'ipv4', nodeName: 'here', masquerade: 'never' },
          view: VIEW,
          addresses: [],
        }),
        onReport: () => {},
      })
      for (let i = 0; i < SERVICES; i++) {
        const name = `shop/s${i}`
        const object = service(name, [`10.96.${i >> 8}.${i & 255}`], {
          ports: [port({ port: 80 })],
          stickySeconds: 600,
        })
        const pods = slice(`${name}-1`, name, [endpoint(`10.1.${i >> 8}.${i & 255}`)], { ports: [slicePort(8080)] })
        for (const put of [object, pods]) lane.touch(cluster.apply({ type: 'put', object: put }).services)
      }
      const first = await lane.once()
      expect([first.failure, first.refused!.map(({ owner }) => owner)]).toEqual([undefined, [`${GUILTY}/tcp`]])
      const installed = await real.read(namespace.kernel)
      const wanted = lane.draft.book.rules
      expect([...installed].filter(([unit, text]) => wanted.get(unit) !== text)).toEqual([])
      expect([...wanted].filter(([unit, text]) => installed.get(unit) !== text)).toEqual([])
      const texts = [...textsOf(installed)].map(([unit, text]) => `${unit} ${text}`).join('\n')
      const named = new Set(texts.match(/(?:10\.96\.\d+\.\d+)/g))
      expect([named.size, named.has(`10.96.${617 >> 8}.${617 & 255}`)]).toEqual([SERVICES - 1, false])
    },
    60_000,
  )
})
