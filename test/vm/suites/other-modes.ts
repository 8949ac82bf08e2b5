import assert from 'node:assert/strict'
import { tally } from '#lab/network/host.ts'
import { systemClock } from '#system/clock.ts'
import {
  ALL_WEB,
  ends,
  IPVS,
  inEachFamily,
  PAUSE_MS,
  type Stage,
  stageWith,
  web4,
  web4With,
  whileConnecting,
} from '../stage.ts'
import { type Suite, suite } from '../suite.ts'

// iptables and nftables mode on this kernel, which is older than those of today, and how a node goes from them to ipvs mode
// and back.

/** Without a configuration file, nftables mode takes them, too. */
const PERIODS = ['--iptables-min-sync-period=0s', '--iptables-sync-period=1h']

/** All of them: clients connect to node ports on one that is not the first. */
const NODE_ADDRESSES = '--nodeport-addresses=10.99.0.0/24,fd00:99::/64'

function modeSuite(mode: 'iptables' | 'nftables'): Suite {
  const flags = [`--proxy-mode=${mode}`, NODE_ADDRESSES, ...PERIODS]
  return suite<Stage>(`${mode} mode on this kernel`, {
    open: () => stageWith(flags),
    close: async () => {},
    checks: {
      'a pod, the node and a client beyond it reach every endpoint': inEachFamily(
        async ({ client, node: self, outside }, { vip, node }) => {
          for (const [host, dial] of [
            [client, { to: vip, port: 80 }],
            [self, { to: vip, port: 80 }],
            [outside, { to: node, port: 30080 }],
          ] as const) {
            assert.deepEqual(Object.keys(tally(await host.connectMany(30, dial))).sort(), ALL_WEB)
          }
        },
      ),

      'a pod reaches itself through its Service, and UDP its endpoints': inEachFamily(
        async ({ web1, client }, { vip, udp }) => {
          const outcomes = await web1.connectMany(20, { to: vip, port: 80 })
          assert.ok(outcomes.every(({ ok }) => ok))
          const answers = await client.connectMany(20, { protocol: 'udp', to: udp, port: 53 })
          assert.deepEqual(Object.keys(tally(answers)).sort(), ['web-1', 'web-2'])
        },
      ),

      'a Service without endpoints is refused': inEachFamily(async ({ client, outside }, { dead, node }) => {
        assert.equal(await ends(client, { to: dead, port: 80 }), 'refused')
        assert.equal(await ends(outside, { to: node, port: 30099 }), 'refused')
      }),

      'endpoints that go and come are followed, and a look at the kernel meanwhile finds no drift': async ({
        rig,
        client,
      }) => {
        await rig.put(web4With({ '10.244.1.4': {} }))
        assert.deepEqual(tally(await client.connectMany(10, { to: '10.96.0.10', port: 80 })), { 'web-2': 10 })
        await rig.put(web4)
        // What was written less than a second ago has no fingerprint yet: a look writes it again unread, and that is no drift.
        const before = rig.reports.length
        rig.agent.distrust()
        await rig.settled()
        for (const { drift } of rig.reports.slice(before)) assert.deepEqual(drift.units, [])
      },

      'what an agent that starts reads back is what was written': async stage => {
        // The first takes away what this kernel could not let go of at once; the second finds nothing to do.
        await stage.restart(flags)
        await stage.restart(flags)
        for (const family of ['ipv4', 'ipv6']) {
          const first = stage.rig.reports.find(report => report.family === family)
          assert.deepEqual([first?.looked, first?.units], [true, { added: 0, changed: 0, removed: 0 }], family)
        }
      },

      'a node that goes on to ipvs mode loses no connection, and keeps nothing of the mode it had': stage =>
        whileConnecting(connectsTo(stage), async () => {
          await stage.restart([...IPVS, NODE_ADDRESSES])
          await gone(() => remains(stage), stage)
        }),

      'and coming back it loses none either, and keeps nothing of ipvs mode': stage =>
        whileConnecting(connectsTo(stage), async () => {
          await stage.restart(flags)
          await gone(() => remainsOfIpvs(stage), stage)
        }),
    },
  })
}

/** Much longer than it takes here; then what is still there is reported, with what the agent logged. */
const GONE_MS = 80_000

async function gone(remains: () => Promise<string>, { rig }: Stage): Promise<void> {
  const end = systemClock.now() + GONE_MS
  let left = await remains()
  while (left !== '') {
    if (systemClock.now() > end) throw new Error(`still there: ${left}\n${rig.logged.slice(-8).join('\n')}`)
    await systemClock.sleep(PAUSE_MS)
    left = await remains()
  }
}

/** From a pod and from beyond the node. */
const connectsTo = (stage: Stage) => () =>
  Promise.all([
    stage.client.connect({ to: '10.96.0.10', port: 80 }),
    stage.client.connect({ to: 'fd10:96::10', port: 80 }),
    stage.outside.connect({ to: '10.99.0.2', port: 30080 }),
  ])

/** What of the other modes stands yet: it goes once the new mode's rules stand. */
async function remains(stage: Stage): Promise<string> {
  const chains = (await stage.ask('iptables-save')) + (await stage.ask('ip6tables-save'))
  const theirs = chains.match(/^:KUBE-(?:SVC-|SEP-|EXT-|NODEPORTS|EXTERNAL-SERVICES|PROXY-CANARY).*$/gm) ?? []
  const tables = (await stage.ask('nft', 'list', 'tables')).match(/^table \S+ kube-proxy$/gm) ?? []
  return [...theirs, ...tables].join('\n')
}

/** The same of ipvs mode: its chains, device, sets and virtual servers. */
async function remainsOfIpvs(stage: Stage): Promise<string> {
  const chains = (await stage.ask('iptables-save')) + (await stage.ask('ip6tables-save'))
  const theirs = chains.match(/^:KUBE-(?:NODE-PORT|LOAD-BALANCER|IPVS-|SOURCE-RANGES).*$/gm) ?? []
  const devices = (await stage.ask('ip', '-oneline', 'link')).match(/kube-ipvs0/g) ?? []
  const sets = (await stage.ask('ipset', 'list', '-name')).match(/^KUBE-.*$/gm) ?? []
  const servers = (await stage.ask('ipvsadm', '-Sn')).match(/^-A .* (?:10\.96|10\.99|198\.18|\[fd).*$/gm) ?? []
  return [...theirs, ...devices, ...sets, ...servers].join('\n')
}

export const iptablesHere = modeSuite('iptables')
export const nftablesHere = modeSuite('nftables')
