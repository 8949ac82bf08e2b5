import assert from 'node:assert/strict'
import { type Host, tally } from '#lab/network/host.ts'
import { cidr, ip } from '../../support/objects.ts'
import {
  ALL_WEB,
  ends,
  IPVS,
  inEachFamily,
  OBJECTS,
  SILENCE_MS,
  type Stage,
  stageWith,
  web,
  web4,
  web4With,
} from '../stage.ts'
import { suite } from '../suite.ts'

// Objects in, packets through: every way into a Service, in ipvs mode.

function peers(outcomes: Awaited<ReturnType<Host['connectMany']>>): readonly string[] {
  return [...new Set(outcomes.map(outcome => (outcome.ok ? outcome.answer.peer.address : outcome.error)))]
}

export const ipvsTraffic = suite<Stage>('traffic through ipvs', {
  open: () => stageWith(IPVS),
  close: async () => {},
  checks: {
    'a pod reaches every endpoint through the cluster IP, with its own address': inEachFamily(
      async ({ client }, { vip, self }) => {
        const outcomes = await client.connectMany(9, { to: vip, port: 80 })
        assert.deepEqual(tally(outcomes), { 'web-1': 3, 'web-2': 3, 'web-far': 3 })
        assert.deepEqual(peers(outcomes), [client[self]])
      },
    ),

    'the node itself reaches every endpoint through the cluster IP': inEachFamily(async ({ node }, { vip }) => {
      const outcomes = await node.connectMany(6, { to: vip, port: 80 })
      assert.deepEqual(Object.keys(tally(outcomes)).sort(), ALL_WEB)
    }),

    'a client beyond the node reaches every endpoint through the node port and an external IP, masqueraded':
      inEachFamily(async ({ outside }, { node, external, self }) => {
        for (const dial of [
          { to: node, port: 30080 },
          { to: external, port: 80 },
        ]) {
          const outcomes = await outside.connectMany(6, dial)
          assert.deepEqual(Object.keys(tally(outcomes)).sort(), ALL_WEB)
          assert.ok(!peers(outcomes).includes(outside[self]))
        }
      }),

    'a pod reaches itself through its Service, masqueraded': inEachFamily(async ({ web1 }, { vip, self }) => {
      const outcomes = await web1.connectMany(6, { to: vip, port: 80 })
      assert.ok(outcomes.every(({ ok }) => ok))
      const own = outcomes.filter(outcome => outcome.ok && outcome.answer.name === 'web-1')
      assert.ok(own.length > 0)
      assert.ok(!peers(own).includes(web1[self]))
    }),

    'UDP goes through the cluster IP and the node port to every endpoint': inEachFamily(
      async ({ client, outside }, { udp, node }) => {
        for (const [host, dial] of [
          [client, { to: udp, port: 53 }],
          [outside, { to: node, port: 30053 }],
        ] as const) {
          const outcomes = await host.connectMany(6, { protocol: 'udp', ...dial })
          assert.deepEqual(Object.keys(tally(outcomes)).sort(), ['web-1', 'web-2'])
        }
      },
    ),

    'a Service without endpoints is refused at once, from everywhere': inEachFamily(
      async ({ client, node: self, outside }, { dead, node }) => {
        assert.equal(await ends(client, { to: dead, port: 80 }), 'refused')
        assert.equal(await ends(client, { protocol: 'udp', to: dead, port: 80 }), 'refused')
        assert.equal(await ends(self, { to: dead, port: 80 }), 'refused')
        assert.equal(await ends(outside, { to: node, port: 30099 }), 'refused')
      },
    ),

    'a port that is not served at the address of a Service is refused': inEachFamily(
      async ({ client, node }, { vip }) => {
        for (const host of [client, node]) assert.equal(await ends(host, { to: vip, port: 81 }), 'refused')
      },
    ),

    'where policy is Local, a client keeps its address and meets local endpoints alone': async ({ rig, outside }) => {
      await rig.put(web({ externalPolicy: 'Local' }))
      for (const dial of [
        { to: '10.99.0.2', port: 30080 },
        { to: '198.18.0.7', port: 80 },
      ]) {
        const outcomes = await outside.connectMany(4, dial)
        assert.deepEqual(Object.keys(tally(outcomes)).sort(), ['web-1', 'web-2'])
        assert.deepEqual(peers(outcomes), [outside.ip4])
      }
    },

    'where policy is Local and no endpoint is here, outside is dropped; pods and the node go on to the cluster':
      async ({ rig, outside, client, node }) => {
        await rig.put(web4With({ '10.244.2.5': {} }))
        for (const dial of [
          { to: '10.99.0.2', port: 30080 },
          { to: '198.18.0.7', port: 80 },
        ]) {
          assert.equal(await ends(outside, { ...dial, timeoutMs: SILENCE_MS }), 'timeout')
          assert.equal(await ends(client, dial), 'web-far')
          assert.equal(await ends(node, dial), 'web-far')
        }
        await rig.put(web({ internalPolicy: 'Local' }))
        for (const host of [client, node]) {
          assert.ok(
            ['timeout', 'forbidden'].includes(await ends(host, { to: '10.96.0.10', port: 80, timeoutMs: SILENCE_MS })),
          )
        }
        assert.equal(await ends(outside, { to: '10.99.0.2', port: 30080 }), 'web-far')
        await rig.put(web(), web4)
      },

    'only the sources in its ranges reach the address of a load balancer': async ({ rig, outside, client, node }) => {
      const restricted = (...sourceRanges: string[]) =>
        web({ type: 'LoadBalancer', loadBalancerIPs: [ip('198.18.0.9')], sourceRanges: sourceRanges.map(cidr) })
      const address = { to: '198.18.0.9', port: 80 }
      const dropped = { ...address, timeoutMs: SILENCE_MS }
      await rig.put(restricted('10.99.0.0/24'))
      assert.ok(ALL_WEB.includes(await ends(outside, address)))
      assert.equal(await ends(client, dropped), 'timeout')
      await rig.put(restricted('10.244.0.0/16'))
      assert.equal(await ends(outside, dropped), 'timeout')
      assert.ok(ALL_WEB.includes(await ends(client, address)))
      assert.ok(['timeout', 'forbidden'].includes(await ends(node, dropped)))
      await rig.put(web())
    },

    'what is read back is what was written, word for word': async ({ rig }) => {
      rig.agent.distrust()
      await rig.settled()
      for (const { looked, units, drift } of rig.reports.slice(-2)) {
        assert.ok(looked)
        assert.deepEqual(drift.units, [])
        assert.deepEqual(units, { added: 0, changed: 0, removed: 0 })
      }
    },

    'nothing at all is run where nothing changed': async ({ rig }) => {
      rig.commands.length = 0
      await rig.settled()
      assert.deepEqual(rig.commands, [])
    },

    'a change of endpoints runs each tool once at the most, and names only what changes': async ({ rig, client }) => {
      rig.commands.length = 0
      await rig.put(web4With({ '10.244.1.4': {} }))
      assert.deepEqual(
        rig.commands.map(({ argv, input }) => [argv[0], input]),
        [
          [
            'ipvsadm',
            ['10.96.0.10:80', '10.99.0.22:30080', '10.99.0.2:30080', '10.244.1.1:30080', '198.18.0.7:80']
              .flatMap(at => ['10.244.1.3:8080', '10.244.2.5:8080'].map(real => `-d -t ${at} -r ${real}\n`))
              .sort()
              .join(''),
          ],
          ['ipset', 'del KUBE-LOOP-BACK 10.244.1.3,tcp:8080,10.244.1.3\n'],
        ],
      )
      assert.deepEqual(tally(await client.connectMany(4, { to: '10.96.0.10', port: 80 })), { 'web-2': 4 })
      await rig.put(web4)
      assert.deepEqual(Object.keys(tally(await client.connectMany(6, { to: '10.96.0.10', port: 80 }))).sort(), ALL_WEB)
    },

    'sticky clients stay with their endpoint at each frontend': async ({ rig, client }) => {
      await rig.put(web({ stickySeconds: 100 }))
      for (const to of ['10.96.0.10', 'fd10:96::10', '198.18.0.7']) {
        assert.equal(Object.keys(tally(await client.connectMany(5, { to, port: 80 }))).length, 1)
      }
      await rig.put(OBJECTS[0]!)
      assert.equal(Object.keys(tally(await client.connectMany(6, { to: '10.96.0.10', port: 80 }))).length, 3)
    },
  },
})
