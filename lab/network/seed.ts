import { readFileSync } from 'node:fs'
import type { V1Endpoint, V1EndpointSlice } from '@kubernetes/client-node'
import { parseAllDocuments } from 'yaml'
import type { ApiObject } from '#lab/api-server/store.ts'
import type { Kernel } from '#system/ports.ts'
import { type Lab, openLab, type PodOptions } from './lab.ts'
import { withoutNames } from './namespaces.ts'
import type { Transport } from './pod/messages.ts'

// The small cluster of the tests: fixtures/clusters/seed.yaml as Kubernetes objects, and a lab in which all of it answers.

export const SEED_OBJECTS: readonly ApiObject[] = readObjects('../../fixtures/clusters/seed.yaml')

/** What its Services have their addresses from. */
export const SEED_RANGES = '10.96.0.0/12,fd10:96::/112'

/** The one Node of the example, on which the agent runs. */
export const SEED_NODE = objectsOf<ApiObject>('Node')[0]!.metadata.name!

interface SeedPod extends PodOptions {
  readonly nodeName: string
  readonly answers?: { readonly protocol: Transport; readonly port: number }
}

/** Every pod that an endpoint names, and one that connects to them. */
export const SEED_PODS: readonly SeedPod[] = [
  ...new Map(objectsOf<V1EndpointSlice>('EndpointSlice').flatMap(podsOf)).values(),
  { name: 'client', nodeName: SEED_NODE, ...podAddresses('10.244.1.9') },
]

/** A lab in which every endpoint of the example answers with the name of its pod. Close it when done. */
export async function openSeedLab(kernel: Kernel): Promise<Lab> {
  const lab = await openLab(kernel, { pods: SEED_PODS.filter(isHere) })
  try {
    await withoutNames(kernel, lab.node.namespace)
    await Promise.all([
      lab.outside.listen('tcp', apiServerPort(), { name: 'kubernetes' }),
      ...SEED_PODS.map(pod => (isHere(pod) ? answerHere(lab, pod) : answerElsewhere(lab, pod))),
    ])
  } catch (error) {
    await lab.close()
    throw error
  }
  return lab
}

function readObjects(path: string): readonly ApiObject[] {
  const text = readFileSync(new URL(path, import.meta.url), 'utf8')
  return parseAllDocuments(text).map(document => {
    if (document.errors[0] !== undefined) throw document.errors[0]
    return document.toJS() as ApiObject
  })
}

function objectsOf<T>(kind: string): readonly T[] {
  return SEED_OBJECTS.filter(object => object.kind === kind) as readonly unknown[] as readonly T[]
}

/** The API server has no pod: its endpoint is the client beyond the node. */
function apiServerPort(): number {
  const slices = objectsOf<V1EndpointSlice>('EndpointSlice')
  return slices.find(({ metadata }) => metadata?.name === 'kubernetes')!.ports![0]!.port!
}

/** By name: a pod of two families is in two slices. */
function podsOf({ addressType, endpoints = [], ports = [] }: V1EndpointSlice): readonly (readonly [string, SeedPod])[] {
  const [port] = ports
  return addressType === 'IPv4' ? endpoints.flatMap(podOf) : []

  function podOf({ addresses: [ip4 = ''], nodeName = '', targetRef }: V1Endpoint): readonly [string, SeedPod][] {
    const name = targetRef?.name
    if (name === undefined || port?.port === undefined) return []
    const protocol = port.protocol === 'UDP' ? 'udp' : 'tcp'
    return [[name, { name, nodeName, ...podAddresses(ip4), answers: { protocol, port: port.port } }]]
  }
}

/** In the lab, the pod 10.244.1.3 is fd00:244:1::3, too. */
function podAddresses(ip4: string): { readonly ip4: string; readonly ip6: string } {
  const [, , subnet, number] = ip4.split('.')
  return { ip4, ip6: `fd00:244:${subnet}::${number}` }
}

function isHere({ nodeName }: SeedPod): boolean {
  return nodeName === SEED_NODE
}

async function answerHere(lab: Lab, { name, answers }: SeedPod): Promise<void> {
  const host = lab.pods.find(host => host.name === name)
  if (answers !== undefined) await host?.listen(answers.protocol, answers.port)
}

/** The other node's pods have no namespaces of their own: they are addresses of that node. */
async function answerElsewhere(lab: Lab, { name, answers, ip4, ip6 }: SeedPod): Promise<void> {
  const addresses = lab.families.map(family => (family === 'ipv4' ? ip4 : ip6))
  for (const address of addresses) await lab.remote.addAddress(address)
  if (answers !== undefined) await lab.remote.listen(answers.protocol, answers.port, { name, addresses })
}
