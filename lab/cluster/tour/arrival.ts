import type { ClusterClient } from '#lab/client/cluster-client.ts'
import type { Deployment, Pod, Service } from '#lab/client/objects.ts'
import type { Clock } from '#system/ports.ts'
import type { Cluster } from '../cluster.ts'
import type { Guide } from './guide.ts'
import { putObjects, tourObjects } from './objects.ts'

// A cluster that is open → one whose Services answer: the objects of the tour are made, and waited for.

export interface Arrived {
  /** The pods' names. */
  readonly database: string
  readonly web: readonly string[]
  /** Where db-service answers. */
  readonly clusterIP: string
  /** Of web. */
  readonly nodePort: number
}

export interface ArrivalParts {
  readonly cluster: Cluster
  readonly client: ClusterClient
  readonly guide: Guide
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Called when the first answer has come through a Service. */
  readonly answered: () => void
  readonly progress: (doing: string) => void
}

const PATIENCE_MS = 120_000

export async function arrive(parts: ArrivalParts): Promise<Arrived> {
  const { cluster, client, guide, answered, progress } = parts
  const objects = tourObjects(cluster.services)
  const isOfDatabase = ({ metadata }: (typeof objects)[number]) => metadata.name!.startsWith('db')
  progress('starting the database')
  await putObjects(client, objects.filter(isOfDatabase))
  const database = await podWithAddress(parts, 'app=db')
  await putObjects(
    client,
    objects.filter(object => !isOfDatabase(object)),
  )
  const { spec } = (await client.get<Service>('Service', { namespace: 'default', name: 'db-service' }))!
  const clusterIP = spec!.clusterIP!
  progress('waiting for the first answer through a Service')
  await guide.quietly({ command: `outside ask ${clusterIP} 3306`, until: answer => answer.startsWith('db-') })
  answered()
  progress('waiting for the pods of web and dns')
  for (const name of ['web', 'dns']) await available(parts, name)
  const web = await client.list<Pod>('Pod', { namespace: 'default', labelSelector: 'app=web' })
  const { spec: ofWeb } = (await client.get<Service>('Service', { namespace: 'default', name: 'web' }))!
  return { database, web: web.map(({ metadata }) => metadata.name!), clusterIP, nodePort: ofWeb!.ports![0]!.nodePort! }
}

function podWithAddress(parts: ArrivalParts, labelSelector: string): Promise<string> {
  return polled(parts, `a pod of ${labelSelector}`, async () => {
    const pods = await parts.client.list<Pod>('Pod', { namespace: 'default', labelSelector })
    return pods.find(({ status }) => status?.podIP !== undefined)?.metadata.name
  })
}

function available(parts: ArrivalParts, name: string): Promise<true> {
  return polled(parts, `deployment ${name}`, async () => {
    const { spec, status } = (await parts.client.get<Deployment>('Deployment', { namespace: 'default', name }))!
    return status?.availableReplicas === spec?.replicas ? true : undefined
  })
}

async function polled<T>(
  { clock, signal }: ArrivalParts,
  what: string,
  look: () => Promise<T | undefined>,
): Promise<T> {
  for (const deadline = clock.now() + PATIENCE_MS; ; await clock.sleep(50, signal)) {
    signal.throwIfAborted()
    const found = await look()
    if (found !== undefined) return found
    if (clock.now() > deadline) throw new Error(`${what} is not there after ${PATIENCE_MS / 1000} s`)
  }
}
