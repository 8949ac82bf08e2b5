import { createInterface } from 'node:readline'
import { answer } from '#cni/answer.ts'
import { nodeMachine, PLUGINS } from '#cni/daemon/machine.ts'
import type { JsonObject } from '#cni/protocol/request.ts'
import { ResultCache } from '#cni/runner/result-cache.ts'
import { gatherFiles } from '#operator/source/from-files.ts'
import { mendPods, podDifferences } from '#operator/verify/pods.ts'
import { differencesOfRoutes, mendRoutes } from '#operator/verify/routes.ts'
import { systemClock } from '#system/clock.ts'
import { plainFiles } from '#system/plain-files.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { accepted } from '../../config/parsing.ts'
import { captureLog } from '../../support/captured-log.ts'
import { range } from '../../support/leases.ts'

// Runs in the namespaces of a node: attaches pods, and looks at all of the pod network. A line of JSON asks, another answers.

export type PodsQuestion =
  | { readonly do: 'attach'; readonly container: string; readonly hostPort: number }
  | { readonly do: 'verify' }
  | { readonly do: 'mend' }

const NETWORK = 'mynet'
const BRIDGE = {
  ...{ cniVersion: '1.0.0', name: NETWORK, type: 'bridge', bridge: 'cni0', isGateway: true, ipMasq: true },
  ipam: { type: 'host-local', subnet: '10.244.1.0/24', routes: [{ dst: '0.0.0.0/0' }] },
}
const PORTMAP = { cniVersion: '1.0.0', name: NETWORK, type: 'switchyard', plugin: 'portmap' }

const [nodes = ''] = process.argv.slice(2)
const { settings } = await accepted({ verb: 'verify', argv: [] })
const gathered = await gatherFiles([nodes], 'one', captureLog().log)
const view = { nodeName: 'one', allNodes: async () => gathered.nodes }
const parts = { settings, kernel: hostKernel(), clock: systemClock }
const routes = { settings, view, kernel: parts.kernel }
const machine = nodeMachine({ kernel: parts.kernel, clock: systemClock })
const granted = await machine.grants()
granted.save({ source: 'node', record: '{}', why: '', sets: [[range('10.244.1.0/24 10.244.1.1-10.244.1.254')]] })
await mendRoutes(routes)

async function called(plugin: string, container: string, config: object): Promise<JsonObject> {
  const env = {
    ...{ CNI_COMMAND: 'ADD', CNI_CONTAINERID: container, CNI_NETNS: `/run/netns/${container}`, CNI_IFNAME: 'eth0' },
    ...{ CNI_PATH: '/nowhere', CNI_ARGS: `K8S_POD_NAMESPACE=default;K8S_POD_NAME=${container}` },
  }
  const { code, stdout, stderr } = await answer(
    { plugin, env, stdin: JSON.stringify(config) },
    { plugins: PLUGINS, machine, version: 'v0.0.0' },
  )
  if (code !== 0) throw new Error(stdout + stderr)
  return JSON.parse(stdout) as JsonObject
}

/** As a runtime does, which keeps the result. */
async function attach(container: string, hostPort: number): Promise<void> {
  const prevResult = await called('bridge', container, BRIDGE)
  const runtimeConfig = { portMappings: [{ hostPort, containerPort: 80, protocol: 'tcp' }] }
  await called('switchyard', container, { ...PORTMAP, prevResult, runtimeConfig })
  const kept = {
    network: NETWORK,
    container,
    ifname: 'eth0',
    netns: `/run/netns/${container}`,
    args: [],
    capabilities: {},
  }
  await new ResultCache(plainFiles, '/var/lib/cni').keep({ ...kept, config: JSON.stringify(BRIDGE) }, prevResult)
}

async function done(question: PodsQuestion): Promise<unknown> {
  switch (question.do) {
    case 'attach':
      return attach(question.container, question.hostPort).then(() => 'attached')
    case 'verify': {
      const pods = await podDifferences(parts)
      return { differences: [...pods.differences, ...(await differencesOfRoutes(routes))], failures: pods.failures }
    }
    case 'mend':
      return [...(await mendRoutes(routes)), ...(await mendPods(parts))]
  }
}

console.log(JSON.stringify('ready'))
for await (const line of createInterface({ input: process.stdin })) {
  const answered = await done(JSON.parse(line) as PodsQuestion).catch((error: Error) => ({ failed: error.stack }))
  console.log(JSON.stringify(answered ?? null))
}
machine.close()
process.exit(0)
