import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import type { ClusterObject } from '#kubernetes/objects.ts'
import { type Host, type Stream, tally } from '#lab/network/host.ts'
import { ipLines } from '#lab/network/namespaces.ts'
import { systemClock } from '#system/clock.ts'
import { must } from '#system/must.ts'
import { endpoint, port, service, slice, slicePort } from '../../support/objects.ts'
import {
  HERE,
  IPVS,
  OBJECTS,
  PAUSE_MS,
  SILENCE_MS,
  type Stage,
  stageWith,
  web,
  web4,
  web4With,
  whileConnecting,
} from '../stage.ts'
import { suite } from '../suite.ts'

// What happens over time: endpoints that leave and come back, agents that end and start, others who use IPVS too.

const LEAVING = { ready: false, terminating: true }
const VIP = { to: '10.96.0.10', port: 80 }

async function openTo(host: Host, name: string): Promise<Stream> {
  for (let i = 0; i < 20; i++) {
    const opened = await host.open(VIP)
    assert.ok(opened.ok)
    const said = await opened.stream.send('who is it?')
    if (said.ok && said.answer.name === name) return opened.stream
    await opened.stream.close()
  }
  throw new Error(`20 connections, and none met ${name}`)
}

/** A piece of a long download. */
async function piece(stream: Stream): Promise<string> {
  const outcome = await stream.send('x'.repeat(20_000))
  return outcome.ok ? `${outcome.answer.name}: ${outcome.answer.text.length}` : outcome.error
}

/** `-> 10.244.1.3:8080 … weight`, of the cluster IP's server. */
async function weights(stage: Stage): Promise<Readonly<Record<string, number>>> {
  const saved = await stage.ask('ipvsadm', '-Sn')
  const lines = saved.matchAll(/^-a -t 10\.96\.0\.10:80 -r (\S+) -m -w (\d+)$/gm)
  return Object.fromEntries([...lines].map(([, real, weight]) => [real, Number(weight)]))
}

const [ONE, TWO, FAR] = ['10.244.1.3:8080', '10.244.1.4:8080', '10.244.2.5:8080'] as const
let download: Stream

export const ipvsLife = suite<Stage>('the life of virtual servers', {
  open: () => stageWith(IPVS),
  close: async () => {},
  checks: {
    'a long download survives that its endpoint is terminating; no new client is sent there': async stage => {
      const { rig, client } = stage
      download = await openTo(client, 'web-1')
      assert.equal(await piece(download), 'web-1: 20000')
      await rig.put(web4With({ '10.244.1.3': LEAVING, '10.244.1.4': {}, '10.244.2.5': {} }))
      assert.deepEqual(await weights(stage), { [ONE]: 0, [TWO]: 1, [FAR]: 1 })
      assert.equal(await piece(download), 'web-1: 20000')
      assert.deepEqual(Object.keys(tally(await client.connectMany(6, VIP))).sort(), ['web-2', 'web-far'])
    },

    'it survives that the agent starts anew, and so does what graceful termination has set': async stage => {
      await stage.restart(IPVS, [
        ...OBJECTS.filter(object => object !== web4),
        web4With({ '10.244.1.3': LEAVING, '10.244.1.4': {}, '10.244.2.5': {} }),
      ])
      assert.deepEqual(await weights(stage), { [ONE]: 0, [TWO]: 1, [FAR]: 1 })
      assert.equal(await piece(download), 'web-1: 20000')
    },

    'an endpoint that comes back keeps its connections': async stage => {
      await stage.rig.put(web4With({ '10.244.1.3': { ready: false }, '10.244.1.4': {}, '10.244.2.5': {} }))
      assert.equal(await piece(download), 'web-1: 20000')
      await stage.rig.put(web4)
      assert.deepEqual(await weights(stage), { [ONE]: 1, [TWO]: 1, [FAR]: 1 })
      assert.equal(await piece(download), 'web-1: 20000')
      assert.equal(Object.keys(tally(await stage.client.connectMany(6, VIP))).length, 3)
    },

    'when the pod is gone its connections end, and the client learns of it': async stage => {
      await stage.rig.put(web4With({ '10.244.1.4': {}, '10.244.2.5': {} }))
      assert.deepEqual(await weights(stage), { [TWO]: 1, [FAR]: 1 })
      assert.ok(['reset', 'closed', 'refused'].includes(await piece(download)))
      await stage.rig.put(web4)
    },

    'an endpoint that was never ready is not there at all': async stage => {
      await stage.rig.put(web4With({ '10.244.1.3': {}, '10.244.1.9': { ready: false } }))
      assert.deepEqual(await weights(stage), { [ONE]: 1 })
      await stage.rig.put(web4)
    },

    'an agent that starts anew under traffic loses no connection': async stage => {
      const stays = await openTo(stage.client, 'web-2')
      const { client, outside } = stage
      await whileConnecting(
        () => Promise.all([client.connect(VIP), outside.connect({ to: '10.99.0.2', port: 30080 })]),
        () => stage.restart(IPVS),
      )
      assert.equal(await piece(stays), 'web-2: 20000')
      await stays.close()
      const reports = stage.rig.reports.slice(0, 2)
      assert.deepEqual(
        reports.map(({ units }) => units),
        [
          { added: 0, changed: 0, removed: 0 },
          { added: 0, changed: 0, removed: 0 },
        ],
      )
    },

    'a Service that changes its policy under traffic loses no connection': async ({ outside, rig }) => {
      const connect = async () => [
        ...(await outside.connectMany(5, { to: '10.99.0.2', port: 30080 })),
        ...(await outside.connectMany(5, { to: '198.18.0.7', port: 80 })),
      ]
      await whileConnecting(connect, async () => {
        for (let i = 0; i < 4; i++) {
          await rig.put(web({ externalPolicy: 'Local' }))
          await rig.put(web())
        }
      })
    },

    'a client whose first SYN came before the Service is answered when it sends the next': async stage => {
      const { outside, client, rig } = stage
      const late = service('shop/late', ['10.112.0.78'], { ports: [port({ name: 'http', port: 80 })] })
      const lateSlice = slice('shop/late-4', 'shop/late', [endpoint('10.244.1.3', HERE)], {
        ports: [slicePort(8080, 'http')],
      })
      // What leaves the node by its default route is not answered, not even by an error.
      await must(outside.kernel, ipLines(['route add blackhole 10.112.0.0/16']))
      const waiting = client.connect({ to: '10.112.0.78', port: 80 })
      await systemClock.sleep(SILENCE_MS)
      await rig.put(late, lateSlice)
      assert.equal(tally([await waiting])['web-1'], 1)
      await rig.remove(late)
      await rig.remove(lateSlice)
    },

    'what was deleted while no agent ran is gone when one starts, at node ports too': async stage => {
      const extra = service('shop/extra', ['10.96.0.77', 'fd10:96::77'], {
        type: 'NodePort',
        ports: [port({ port: 7000, nodePort: 30777 })],
      })
      await stage.rig.put(extra)
      const saved = await stage.ask('ipvsadm', '-Sn')
      for (const at of ['10.96.0.77:7000', '10.99.0.2:30777', '[fd00:99::22]:30777'])
        assert.ok(saved.includes(` ${at} `))
      await stage.restart(IPVS)
      assert.ok(!/:7000 |:30777 /.test(await stage.ask('ipvsadm', '-Sn')))
      assert.ok(!/10\.96\.0\.77|fd10:96::77/.test(await stage.ask('ip', '-oneline', 'address')))
      assert.ok(!/10\.96\.0\.77|fd10:96::77| 30777$/m.test(await stage.ask('ipset', 'save')))
    },

    'an agent that is ended between two tools leaves nothing that the next does not recognise': async stage => {
      // As if the sets had been changed for a node port that goes, and the virtual server had not.
      const records = '-exist add KUBE-NODE-PORT-IP 10.99.0.2,tcp:30666'
      await stage.run(['ipset', ...records.split(' '), 'timeout', '600'])
      await stage.run(
        ['ipvsadm', '-R'],
        '-A -t 10.99.0.2:30666 -s rr\n-a -t 10.99.0.2:30666 -r 10.244.1.3:8080 -m -w 1\n',
      )
      await stage.restart(IPVS)
      assert.ok(!(await stage.ask('ipvsadm', '-Sn')).includes(':30666'))
    },

    'virtual servers of others are never touched': async stage => {
      const theirs = [
        '-A -t 10.99.0.2:30555 -s wlc',
        '-a -t 10.99.0.2:30555 -r 192.0.2.7:80 -m -w 3',
        '-A -t 192.0.2.1:30080 -s wrr -p 60',
        '-a -t 192.0.2.1:30080 -r 192.0.2.8:30080 -g -w 1',
        '-A -u [2001:db8::5]:53 -s rr',
        '-A -f 7 -s rr',
      ]
      await stage.run(['ipvsadm', '-R'], `${theirs.join('\n')}\n`)
      await stage.restart(IPVS)
      stage.rig.agent.distrust()
      await stage.rig.put(web4With({ '10.244.1.4': {} }))
      await stage.rig.put(web4)
      const saved = (await stage.ask('ipvsadm', '-Sn')).split('\n')
      for (const line of theirs)
        assert.ok(
          saved.some(said => said.startsWith(line)),
          line,
        )
    },

    'what another program breaks is mended at the next look': async stage => {
      const before = (await stage.ask('ipvsadm', '-Sn')).split('\n').sort()
      await stage.run(['ipvsadm', '-D', '-t', '10.96.0.10:80'])
      await stage.run(['ipvsadm', '-R'], '-e -t 10.99.0.2:30080 -r 10.244.1.3:8080 -m -w 7\n')
      await stage.run(['ip', 'address', 'delete', '10.96.0.10/32', 'dev', 'kube-ipvs0'])
      await stage.run(['ipset', 'flush', 'KUBE-CLUSTER-IP'])
      await stage.run(['iptables', '-t', 'nat', '-F', 'KUBE-SERVICES'])
      stage.rig.agent.distrust()
      await stage.rig.settled()
      assert.deepEqual((await stage.ask('ipvsadm', '-Sn')).split('\n').sort(), before)
      assert.equal(Object.keys(tally(await stage.client.connectMany(6, VIP))).length, 3)
      stage.rig.agent.distrust()
      await stage.rig.settled()
      assert.deepEqual(stage.rig.reports.at(-1)!.units, { added: 0, changed: 0, removed: 0 })
    },

    'rules that another program flushes are back without a look at the rest': async stage => {
      const lines = async () => (await stage.rig.save()).split('\n').sort()
      const before = await lines()
      const asked = stage.rig.commands.length
      await stage.run(['iptables-restore'], '*nat\nCOMMIT\n*filter\nCOMMIT\n*mangle\nCOMMIT\n')
      while (!isDeepStrictEqual(await lines(), before)) await systemClock.sleep(PAUSE_MS)
      await stage.rig.settled()
      const programs = stage.rig.commands.slice(asked).map(({ argv }) => argv.join(' '))
      assert.ok(!programs.some(words => /ipset|ipvsadm|-save$/.test(words)), programs.join('\n'))
      assert.equal(Object.keys(tally(await stage.outside.connectMany(6, { to: '10.99.0.2', port: 30080 }))).length, 3)
    },

    'a virtual server that another program made is taken when a Service asks for it, without the endpoints it had':
      async stage => {
        const wanted: readonly ClusterObject[] = [
          service('shop/extra', ['10.96.0.78'], { type: 'NodePort', ports: [port({ port: 7001, nodePort: 30555 })] }),
        ]
        await stage.rig.put(...wanted).catch(() => stage.rig.settled())
        await stage.rig.settled()
        const saved = await stage.ask('ipvsadm', '-Sn')
        assert.match(saved, /^-A -t 10\.99\.0\.2:30555 -s rr$/m)
        assert.ok(!saved.includes('192.0.2.7'))
        await stage.rig.remove(wanted[0]!)
      },
  },
})
