import { openClient } from '#lab/client/http-client.ts'
import { startKubelet } from '#lab/kubelet/kubelet.ts'
import type { NodePlace } from '#lab/kubelet/node-place.ts'
import { inNamespace } from '#lab/network/namespaces.ts'
import { systemClock } from '#system/clock.ts'
import { readText } from '#system/files.ts'
import { hostKernel } from '#system/processes/kernel.ts'

// A kubelet as a process of its own, which a test kills: the URL of an API server and a node → a line when it is ready.

const [master, place] = process.argv.slice(2) as [string, string]
const kernel = hostKernel()
const node = JSON.parse(place) as Omit<NodePlace, 'kernel'>
const client = await openClient({ master, env: {}, files: { readText }, kernel, clock: systemClock })
const kubelet = startKubelet({
  ...{ client, clock: systemClock, runtime: 'namespaces', warn: console.error },
  node: { ...node, kernel: inNamespace(kernel, node.namespace) },
})
await kubelet.ready
console.log('ready')
