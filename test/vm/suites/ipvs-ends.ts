import assert from 'node:assert/strict'
import { tally } from '#lab/network/host.ts'
import { ipvs } from '#proxy/modes/ipvs/index.ts'
import { removeLeftovers } from '#proxy/modes/leftovers.ts'
import { diff, EMPTY } from '#proxy/plan/diff.ts'
import { systemClock } from '#system/clock.ts'
import { must } from '#system/must.ts'
import { ruleset } from '../../support/units.ts'
import { IPVS, type Stage, stageWith } from '../stage.ts'
import { suite } from '../suite.ts'

// How a node comes to ipvs mode from another, how large its sets may grow, and that nothing of it need stay.

const TOOLS = { family: 'ipv4', variant: 'nft', restore: 'iptables-restore', save: 'iptables-save' } as const
const MODE = ipvs({ tools: TOOLS, scheduler: 'rr', excludeCIDRs: [] })
const VIP = { to: '10.96.0.10', port: 80 }

export const ipvsEnds = suite<Stage>('coming to ipvs mode and leaving it', {
  open: () => stageWith(IPVS),
  close: async () => {},
  checks: {
    'a set takes more members than the 65,536 that ipset allows by itself': async stage => {
      // The kernel can fill a range by itself, which is quicker here than 65,536 lines.
      await stage.run(['ipset', 'add', 'KUBE-DROP', '10.200.0.0/16,tcp:80'])
      const members = ruleset({ 'member KUBE-DROP 10.201.0.1,tcp:80': '' })
      for (const command of MODE.write(diff(EMPTY, members))) await must(stage.node.kernel, command)
      assert.match(await stage.ask('ipset', 'list', '-t', 'KUBE-DROP'), /^Number of entries: 65537$/m)
      await stage.run(['ipset', 'flush', 'KUBE-DROP'])
    },

    'what kube-proxy has left is adopted as it stands, and what it need not have left goes unless it is excluded':
      async stage => {
        // An agent that ran would hear the flush, and put its own rules and virtual servers in place of these.
        await stage.stop()
        await leaveAsKubeProxy(stage)
        await stage.restart([...IPVS, '--ipvs-exclude-cidrs=10.96.0.201/32'])
        const servers = await stage.ask('ipvsadm', '-Sn')
        assert.ok(!servers.includes('10.96.0.200') && !servers.includes(':30200'))
        assert.match(servers, /^-A -t 10\.96\.0\.201:80 -s rr$/m)
        await stage.run(['ipvsadm', '-D', '-t', '10.96.0.201:80'])
        assert.match(await stage.ask('ipset', 'list', '-t', 'KUBE-CLUSTER-IP'), /maxelem 4194304/)
        assert.ok(!(await stage.ask('iptables-save', '-t', 'filter')).includes('KUBE-IPVS-OUT-FILTER'))
        assert.equal(Object.keys(tally(await stage.client.connectMany(6, VIP))).length, 3)
        stage.rig.agent.distrust()
        await stage.rig.settled()
        assert.deepEqual(
          stage.rig.reports.slice(-2).map(({ units }) => units),
          Array(2).fill({ added: 0, changed: 0, removed: 0 }),
        )
      },

    'cleanup leaves nothing of ours, and what others have as it was': async stage => {
      const { kernel } = stage.node
      await stage.stop()
      await stage.run(['ipset', 'create', 'theirs', 'hash:ip'])
      await stage.run(['iptables', '-t', 'nat', '-A', 'POSTROUTING', '-s', '192.0.2.0/24', '-j', 'MASQUERADE'])
      const theirs = '-A -t 192.0.2.1:30080 -s wrr'
      if (!(await stage.ask('ipvsadm', '-Sn')).includes(theirs)) await stage.run(['ipvsadm', '-R'], `${theirs}\n`)
      const { remains } = await removeLeftovers({ kernel, clock: systemClock })
      assert.deepEqual(remains, [])
      assert.ok((await stage.ask('ipvsadm', '-Sn')).includes(theirs))
      assert.ok(!/^-A -[tu] (?:10\.|198\.18|\[fd)/m.test(await stage.ask('ipvsadm', '-Sn')))
      assert.match(await stage.ask('ipset', 'save'), /^create theirs \S+ [^\n]*\n$/)
      assert.ok(!(await stage.ask('ip', '-oneline', 'link')).includes('kube-ipvs0'))
      const rules = (await stage.ask('iptables-save')) + (await stage.ask('ip6tables-save'))
      assert.ok(!rules.includes('KUBE-'))
      assert.ok(rules.includes('-A POSTROUTING -s 192.0.2.0/24 -j MASQUERADE'))
    },
  },
})

/**
 * kube-proxy's sets hold fewer members, and its rules stand where ours do not. Two of its Services are no more; a third
 * server is another program's.
 */
async function leaveAsKubeProxy(stage: Stage): Promise<void> {
  const sets = (await stage.ask('ipset', 'save'))
    .split('\n')
    .filter(line => !/ KUBE-(?:6-)?(?:NODE-PORT-IP|DROP|DROP-OUTSIDE) /.test(line))
    .map(line => line.replace(/ maxelem \d+.*$/, ' maxelem 65536'))
  await stage.run(['iptables-restore'], '*nat\nCOMMIT\n*filter\nCOMMIT\n*mangle\nCOMMIT\n')
  await stage.run(['ip6tables-restore'], '*nat\nCOMMIT\n*filter\nCOMMIT\n*mangle\nCOMMIT\n')
  await stage.run(['ipset', 'destroy'])
  const gone = ['add KUBE-CLUSTER-IP 10.96.0.200,tcp:80', 'add KUBE-NODE-PORT-TCP 30200']
  await stage.run(['ipset', 'restore'], `${[...sets, ...gone].join('\n')}\n`)
  for (const address of ['10.96.0.200/32', '10.96.0.201/32'])
    await stage.run(['ip', 'address', 'add', address, 'dev', 'kube-ipvs0'])
  const frontends = ['10.96.0.200:80', '10.96.0.201:80', '10.99.0.2:30200']
  await stage.run(['ipvsadm', '-R'], frontends.map(frontend => `-A -t ${frontend} -s rr\n`).join(''))
  await stage.run(
    ['iptables-restore', '--noflush'],
    [
      '*filter',
      ':KUBE-IPVS-OUT-FILTER - [0:0]',
      ':KUBE-IPVS-FILTER - [0:0]',
      '-A OUTPUT -m comment --comment "kubernetes ipvs access filter" -j KUBE-IPVS-OUT-FILTER',
      '-A INPUT -m comment --comment "kubernetes ipvs access filter" -j KUBE-IPVS-FILTER',
      '-A KUBE-IPVS-FILTER -m conntrack --ctstate NEW -m set --match-set KUBE-IPVS-IPS dst -j REJECT',
      'COMMIT',
      '',
    ].join('\n'),
  )
}
