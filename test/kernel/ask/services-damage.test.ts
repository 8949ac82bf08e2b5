import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { gatherFiles } from '#operator/source/from-files.ts'
import { type ComparedParts, compared, differencesOf, mendServices } from '#operator/verify/services.ts'
import { systemClock } from '#system/clock.ts'
import { must } from '#system/must.ts'
import { accepted } from '../../config/parsing.ts'
import { captureLog } from '../../support/captured-log.ts'
import { cannotRun, type Namespace, newNamespace } from '../namespace.ts'

// Rules of Services, damaged by hand in every way that another program might: verify names each and nothing else, and a repair
// mends it.

const why = cannotRun('iptables', 'nft')
const CLUSTER = fileURLToPath(new URL('../../../fixtures/clusters/asked.yaml', import.meta.url))

interface Damage {
  /** In the words of a shell. */
  readonly by: string
  readonly kind: 'missing' | 'extra' | 'different'
  readonly unit: RegExp
  readonly means: RegExp
}

const PASSES = 'will pass this node as they are'
const SAME = /^new connections go where they should all the same$/
const WEB = 'connections to shop/web:http at 10\\.96\\.0\\.10:80/tcp'
const chainOf = (text: string) =>
  `iptables-save -t nat | sed -n 's/^-A \\(KUBE-[A-Z]*-[A-Z0-9]*\\) .*${text}.*/\\1/p' | head -1`
const WEB_CHAIN = `$(iptables-save -t nat | sed -n 's/.*shop.web:http cluster IP.*-j \\(KUBE-SVC-.*\\)/\\1/p')`

const IPTABLES: readonly Damage[] = [
  {
    by: 'iptables -t nat -D PREROUTING 1',
    kind: 'missing',
    unit: /nat -A PREROUTING .* -j KUBE-SERVICES$/,
    means: new RegExp(
      `^${WEB} from pods, outside and its own endpoints ${PASSES}.*; and so for others of the 4 service ports$`,
    ),
  },
  {
    by: 'iptables -t nat -F KUBE-SERVICES',
    kind: 'different',
    unit: /nat KUBE-SERVICES$/,
    means: /shop\/db:sql .*shop\/web:http /,
  },
  {
    by: 'iptables -t nat -D KUBE-SERVICES 1',
    kind: 'different',
    unit: /nat KUBE-SERVICES$/,
    means: new RegExp(`^connections to shop/db:sql at 10\\.96\\.0\\.20:3306/tcp from .* ${PASSES}, .*$`),
  },
  {
    by: 'iptables -t nat -D KUBE-NODEPORTS 1',
    kind: 'different',
    unit: /nat KUBE-NODEPORTS$/,
    means: /^connections to shop\/web:http at 10\.99\.0\.2:30080\/tcp from /,
  },
  {
    by: 'iptables -t nat -F KUBE-MARK-MASQ',
    kind: 'different',
    unit: /nat KUBE-MARK-MASQ$/,
    means: /from outside.* reach its endpoints with a source that this node does not see again/,
  },
  {
    by: 'iptables -t nat -F KUBE-POSTROUTING',
    kind: 'different',
    unit: /nat KUBE-POSTROUTING$/,
    means: /with a source that/,
  },
  {
    by: `iptables -t nat -A ${WEB_CHAIN} -s 10.9.9.9 -j ACCEPT`,
    kind: 'different',
    unit: /nat KUBE-SVC-/,
    means: SAME,
  },
  {
    by: `iptables -t nat -D ${WEB_CHAIN} 2`,
    kind: 'different',
    unit: /nat KUBE-SVC-/,
    means: new RegExp(`^${WEB} from .* will never reach 10\\.244\\.1\\.3:8080`),
  },
  {
    by: `iptables -t nat -F $(${chainOf('to-destination 10.244.1.4:3306')})`,
    kind: 'different',
    unit: /nat KUBE-SEP-/,
    means: new RegExp(`^connections to shop/db:sql .* ${PASSES}`),
  },
  {
    by: `iptables -t nat -R $(${chainOf('to-destination 10.244.2.3:8080')}) 2 -p tcp -j DNAT --to-destination 10.9.9.9:1`,
    kind: 'different',
    unit: /nat KUBE-SEP-/,
    means: new RegExp(`^${WEB} from .* may reach 10\\.9\\.9\\.9:1, which is no endpoint of it`),
  },
  {
    by: 'iptables -F KUBE-PROXY-FIREWALL',
    kind: 'different',
    unit: /filter KUBE-PROXY-FIREWALL$/,
    means: /at 198\.18\.0\.7:80\/tcp from pods/,
  },
  {
    by: 'iptables -D KUBE-SERVICES 1',
    kind: 'different',
    unit: /filter KUBE-SERVICES$/,
    means: /^connections to shop\/empty:http at 10\.96\.0\.30:80\/tcp from .*, not will be refused$/,
  },
  { by: 'iptables -F KUBE-FORWARD', kind: 'different', unit: /filter KUBE-FORWARD$/, means: SAME },
  {
    by: 'iptables -t nat -N KUBE-SVC-AAAAAAAAAAAAAAAA',
    kind: 'extra',
    unit: /nat KUBE-SVC-A{16}$/,
    means: /^nothing that is of a Service now leads to it$/,
  },
]

const nft = (words: string) => `nft '${words}'`

const NFTABLES: readonly Damage[] = [
  {
    by: nft('delete element ip kube-proxy service-ips { 10.96.0.10 . tcp . 80 }'),
    kind: 'missing',
    unit: /element service-ips 10\.96\.0\.10 \. tcp \. 80$/,
    means: new RegExp(`^${WEB} from .* will be refused$`),
  },
  {
    by: nft('delete element ip kube-proxy cluster-ips { 10.96.0.10 }'),
    kind: 'missing',
    unit: /element cluster-ips 10\.96\.0\.10$/,
    means: SAME,
  },
  {
    by: nft('delete element ip kube-proxy no-endpoint-services { 10.96.0.40 . tcp . 80 }'),
    kind: 'missing',
    unit: /element no-endpoint-services 10\.96\.0\.40 /,
    means: /^connections to shop\/near:http .* will be refused, not will be dropped$/,
  },
  {
    by: nft('delete element ip kube-proxy endpoints-tcp { 10.96.0.10 . 80 . 0 }'),
    kind: 'missing',
    unit: /element endpoints-tcp /,
    means: /will never reach 10\.244\.1\.3:8080/,
  },
  {
    by: nft('delete element ip kube-proxy hairpin { 10.244.1.3 . 10.244.1.3 }'),
    kind: 'missing',
    unit: /element hairpin /,
    means: /from its own endpoints reach its endpoints /,
  },
  {
    by: nft('delete element ip kube-proxy firewall-ips { 198.18.0.7 . tcp . 80 }'),
    kind: 'missing',
    unit: /element firewall-ips /,
    means:
      /at 198\.18\.0\.7:80\/tcp from .* will reach 10\.244\.1\.3:8080, 10\.244\.2\.3:8080, where none should answer/,
  },
  {
    by: nft('delete element ip kube-proxy service-nodeports { tcp . 30080 }'),
    kind: 'missing',
    unit: /element service-nodeports /,
    means: /at 10\.99\.0\.2:30080\/tcp/,
  },
  {
    by: nft('flush chain ip kube-proxy services'),
    kind: 'different',
    unit: /chain services$/,
    means: /will be refused/,
  },
  {
    by: nft('flush chain ip kube-proxy masquerading'),
    kind: 'different',
    unit: /chain masquerading$/,
    means: /with a source that/,
  },
  {
    by: nft('flush chain ip kube-proxy nat-prerouting'),
    kind: 'different',
    unit: /chain nat-prerouting$/,
    means: new RegExp(`^${WEB} from pods`),
  },
  {
    by: nft('add rule ip kube-proxy nat-output ip daddr 10.96.0.20 drop'),
    kind: 'different',
    unit: /chain nat-output$/,
    means: SAME,
  },
  {
    by: nft('add element ip kube-proxy service-ips { 10.96.0.99 . tcp . 80 : goto reject-chain }'),
    kind: 'extra',
    unit: /element service-ips 10\.96\.0\.99 /,
    means: /10\.96\.0\.99:80\/tcp, which is of no Service now/,
  },
]

describe.skipIf(why !== undefined)(`damaged rules of Services${why ? ` (skipped: ${why})` : ''}`, () => {
  let node: Namespace
  beforeAll(async () => {
    node = await newNamespace('sy-ask')
  })
  afterAll(() => node?.end())

  async function partsIn(mode: string): Promise<ComparedParts> {
    const argv = [`--proxy-mode=${mode}`, '--family=ipv4', '--cluster-cidr=10.244.0.0/16']
    const { settings } = await accepted({ verb: 'verify', argv })
    const { cluster } = await gatherFiles([CLUSTER], 'here', captureLog().log)
    return { settings, cluster, nodeName: 'here', kernel: node.kernel }
  }

  const mended = async (parts: ComparedParts) => mendServices(await compared(parts), node.kernel, systemClock)

  describe.each([
    ['iptables', IPTABLES],
    ['nftables', NFTABLES],
  ] as const)('in %s mode', (mode, damages) => {
    let parts: ComparedParts
    beforeAll(async () => {
      parts = await partsIn(mode)
      await mended(parts)
    })

    test.each(damages)('$by', async ({ by, kind, unit, means }) => {
      await must(node.kernel, anyCommand(['sh', '-c', by]))
      const found = differencesOf(await compared(parts))
      await mended(parts)
      expect(found.map(one => [one.kind, one.unit, one.means])).toEqual([
        [kind, expect.stringMatching(unit), expect.stringMatching(means)],
      ])
      expect(differencesOf(await compared(parts))).toEqual([])
    })
  })

  test('a table that is gone is written anew, and each part of it was named', async () => {
    const parts = await partsIn('nftables')
    await must(node.kernel, anyCommand(['nft', 'delete table ip kube-proxy']))
    const found = differencesOf(await compared(parts))
    expect(found.length).toBeGreaterThan(40)
    expect(found[0]).toMatchObject({
      kind: 'missing',
      unit: 'IPv4 table kube-proxy',
      means: expect.stringContaining('with all else that is missing, '),
    })
    expect(new Set(found.map(({ kind }) => kind))).toEqual(new Set(['missing']))
    await mended(parts)
    expect(differencesOf(await compared(parts))).toEqual([])
  })
})
