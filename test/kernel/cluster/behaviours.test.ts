import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest'
import { addNamespaces, namespacePath, removeNamespaces } from '#lab/network/namespaces.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { whyNot } from '../ground.ts'
import { BehavioursStage, PATIENCE, ROOM } from './behaviours-stage.ts'

// What pods and Services of a cluster do, from the object in the API to the packet, seen by clients on nodes, in pods and beyond.

describe('in a cluster', { timeout: 300_000 }, () => {
  let why: string | undefined
  let stage: BehavioursStage

  beforeAll(async () => {
    why = await whyNot(['ip', 'iptables', 'ip6tables', 'conntrack', 'musl-gcc'])
    if (why === undefined) stage = await BehavioursStage.open()
  }, 240_000)
  afterAll(() => stage?.close(), 60_000)

  const cases: readonly (readonly [string, (context: TestContext) => Promise<void>])[] = [
    [
      'a pod on a node whose range is full waits, Events say why, and it begins when another one has gone',
      async ({ expect }) => {
        const names = Array.from({ length: ROOM + 1 }, (_, i) => `many-${i}`)
        for (const name of names) await stage.pod(name, 3)
        const waiting = async () => {
          const ready = await Promise.all(names.map(name => stage.isReady(name)))
          return names.filter((_, i) => !ready[i])
        }
        await expect.poll(async () => (await waiting()).length, PATIENCE).toBe(1)
        const [last] = (await waiting()) as [string]
        await expect
          .poll(() => stage.events(last), PATIENCE)
          .toContainEqual(
            expect.stringMatching(/^FailedCreatePodSandBox .*no IP addresses available in range set: 10\.244\.3\.1-/),
          )
        await expect
          .poll(() => stage.events('node-3'), PATIENCE)
          .toContainEqual(expect.stringMatching(/^AddressesExhausted Range set 0 .*full, new pods get no address/))
        await stage.end(names.find(name => name !== last)!)
        const free = async () => {
          // Its address is kept back for a while, in case that packets to it are on their way: that time is over at once.
          stage.change(stage.node(3), "UPDATE lease SET until = 1 WHERE state = 'cooldown'")
          return stage.isReady(last)
        }
        await expect.poll(free, PATIENCE).toBe(true)
        await stage.end(...names)
      },
    ],
    [
      'a host port leads to its pod from beyond the cluster, from other nodes and from pods, until it is gone',
      async () => {
        const { ip4 } = stage.node(1)
        await stage.pod('mapped-0', 1, {
          containers: [{ name: 'main', ports: [{ containerPort: 8080, hostPort: 8088 }] }],
        })
        await stage.pod('asking-0', 2)
        await stage.until(() => stage.outside(ip4, 8088), 'mapped-0')
        await stage.until(() => stage.line(`node-2 ask ${ip4} 8088`), 'mapped-0')
        await stage.until(() => stage.line(`pod asking-0 ask ${ip4} 8088`), 'mapped-0')
        await stage.end('mapped-0', 'asking-0')
        await stage.until(() => stage.outside(ip4, 8088), 'refused')
      },
    ],
    [
      'an endpoint leaves its Service when its readiness probe fails, and comes back with it',
      async () => {
        const file = join(stage.cluster.folder, 'probed')
        writeFileSync(file, '')
        const readinessProbe = { exec: { command: ['test', '-e', file] }, periodSeconds: 1, failureThreshold: 1 }
        const { clusterIP } = await stage.service('probed')
        await stage.pod('probed-0', 1, { containers: [{ name: 'main', readinessProbe }] })
        await stage.pod('probed-1', 2)
        const all = ['probed-0', 'probed-1']
        await stage.until(() => stage.answering(clusterIP!), all)
        rmSync(file)
        await stage.until(() => stage.answering(clusterIP!), ['probed-1'])
        expect(await stage.endpointsOf('probed')).toEqual(['probed-1'])
        writeFileSync(file, '')
        await stage.until(() => stage.answering(clusterIP!), all)
        await stage.end(...all)
      },
    ],
    [
      'no client is led to a pod that is being deleted while its process still answers',
      async () => {
        const { clusterIP } = await stage.service('going')
        const slow = { lifecycle: { preStop: { sleep: { seconds: 600 } } } }
        const containers = [{ name: 'main', ...slow }]
        await stage.pod('going-0', 1, { terminationGracePeriodSeconds: 900, containers })
        await stage.pod('going-1', 2)
        await stage.until(() => stage.answering(clusterIP!), ['going-0', 'going-1'])
        const ip = await stage.podIP('going-0')
        await stage.client.delete('Pod', { namespace: 'default', name: 'going-0' })
        await stage.until(() => stage.answering(clusterIP!), ['going-1'])
        await stage.until(() => stage.line(`node-2 ask ${ip} 8080`), 'going-0')
        await stage.end('going-0', 'going-1')
        await stage.until(() => stage.podIP('going-0'), undefined)
      },
    ],
    [
      'a client with affinity comes to one pod, as long as that is there',
      async ({ expect }) => {
        const { clusterIP } = await stage.service('faithful', { sessionAffinity: 'ClientIP' })
        for (const on of [1, 2] as const) await stage.pod(`faithful-${on}`, on)
        await stage.until(() => stage.endpointsOf('faithful'), ['faithful-1', 'faithful-2'])
        const one = [expect.stringMatching(/^faithful-[12]$/)]
        await expect.poll(() => stage.answering(clusterIP!), PATIENCE).toEqual(one)
        const answering = await stage.answering(clusterIP!)
        expect(answering).toEqual(one)
        const first = answering[0]!
        await stage.end(first)
        const other = first === 'faithful-1' ? 'faithful-2' : 'faithful-1'
        await stage.until(() => stage.answering(clusterIP!), [other])
        await stage.end(other)
      },
    ],
    [
      'a Service of local traffic keeps the address of its clients, and answers only on nodes with a pod of it',
      async () => {
        const { ports } = await stage.service('local', { type: 'NodePort', externalTrafficPolicy: 'Local' })
        const { nodePort: port } = ports![0]!
        const { outside } = stage.cluster
        await stage.pod('local-0', 1)
        await stage.until(() => stage.outside(stage.node(1).ip4, port!), 'local-0')
        const outcome = await outside.connect({ to: stage.node(1).ip4, port: port!, timeoutMs: 60_000 })
        expect(outcome).toMatchObject({ ok: true, answer: { peer: { address: outside.ip4 } } })
        await stage.until(() => stage.outside(stage.node(2).ip4, port!), 'timeout')
        await stage.pod('local-1', 2)
        await stage.until(() => stage.outside(stage.node(2).ip4, port!), 'local-1')
        await stage.end('local-0', 'local-1')
      },
    ],
    [
      'a headless Service has endpoints that answer, and no rule on any node',
      async () => {
        expect(await stage.service('headless', { clusterIP: 'None' })).toMatchObject({ clusterIP: 'None' })
        for (const on of [1, 2] as const) await stage.pod(`headless-${on}`, on)
        // A Service that comes later has rules: by then the agents have seen the other.
        const { clusterIP } = await stage.service('behind', { selector: { app: 'headless' } })
        await stage.until(() => stage.answering(clusterIP!), ['headless-1', 'headless-2'])
        expect(await stage.endpointsOf('headless')).toEqual(['headless-1', 'headless-2'])
        for (const name of ['headless-1', 'headless-2'])
          await stage.until(async () => stage.line(`node-1 ask ${await stage.podIP(name)} 8080`), name)
        const rules = await stage.line('node-1 iptables -t nat -S; node-1 iptables -t filter -S')
        expect(rules).toContain('default/behind')
        expect(rules).not.toContain('default/headless')
        await stage.end('headless-1', 'headless-2')
      },
    ],
  ]

  // Each has pods and Services of its own, and waits most of the time. Of several at once, each polls by the `expect` of its own.
  for (const [name, run] of cases)
    test.concurrent(name, async context => {
      if (why !== undefined) context.skip(why)
      await run(context)
    })

  // Alone: time goes on for all leases of the node.
  test('a lease whose pod is in no network namespace, no result of a runtime and not in the API is taken back', async context => {
    if (why !== undefined) context.skip(why)
    const node = stage.node(1)
    const namespace = `${node.namespace}-lost`
    await addNamespaces(hostKernel(), [namespace])
    const args = 'K8S_POD_NAMESPACE=default;K8S_POD_NAME=lost;K8S_POD_UID=5'
    const words = `cni add pods ${namespacePath(namespace)} --container-id=lost --args='${args}'`
    expect(await stage.line(`node-1 switchyard ${words} --conf-dir=${node.folders.netD}`)).toContain('10.244.1.')
    const leases = () => stage.line('node-1 switchyard ipam ls')
    const held = /^10\.244\.1\.\d+ +ASSIGNED +default\/lost$/m
    expect(await leases()).toMatch(held)
    await removeNamespaces(hostKernel(), [namespace])
    stage.forgetResults(node, 'lost')
    for (const round of [/ 1 of 3 rounds/, / 2 of 3 rounds/, / FREED .* in 3 rounds/]) {
      // Time goes on, for what is written down.
      stage.change(
        node,
        "UPDATE lease SET at = at - 120000 WHERE container = 'lost'",
        'UPDATE sighting SET at = at - 120000, since = since - 120000, last = last - 120000',
      )
      expect(await stage.line('node-1 switchyard ipam gc --free')).toMatch(round)
    }
    expect(await leases()).not.toMatch(held)
  })
})
