import { readFileSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'
import { clusterIPRanges, nodePortRange, type ServiceRangeFlags } from '#lab/api-server/services/service-ranges.ts'
import type { ClusterClient } from '#lab/client/cluster-client.ts'
import type { ApiObject } from '#lab/client/objects.ts'
import { isAlreadyThere } from '#lab/client/refused.ts'
import { parseAddress } from '#values/address.ts'
import { contains } from '#values/cidr.ts'

// fixtures/clusters/tour.yaml → objects in a cluster; those that are there already stay as they are.

const FILE = new URL('../../../fixtures/clusters/tour.yaml', import.meta.url)

interface TourObject extends ApiObject {
  readonly spec?: { readonly clusterIP?: string; readonly ports?: readonly { readonly nodePort?: number }[] }
}

/** Of other ranges than theirs, Services get what the API server gives them. */
export function tourObjects(services: ServiceRangeFlags): readonly ApiObject[] {
  const [ranges, nodePorts] = [clusterIPRanges(services), nodePortRange(services)]
  const fits = (text: string) => {
    const address = parseAddress(text)!
    return ranges.some(range => contains(range, address))
  }
  return parseAllDocuments(readFileSync(FILE, 'utf8')).map(document => {
    const object = document.toJS() as TourObject
    const { clusterIP, ports, ...spec } = object.spec ?? {}
    const chosen = ports?.map(({ nodePort, ...port }) =>
      nodePort !== undefined && nodePorts.first <= nodePort && nodePort <= nodePorts.last
        ? { ...port, nodePort }
        : port,
    )
    const address = clusterIP !== undefined && fits(clusterIP) && { clusterIP }
    return { ...object, spec: { ...spec, ...(chosen && { ports: chosen }), ...address } }
  })
}

export async function putObjects(client: ClusterClient, objects: readonly ApiObject[]): Promise<void> {
  for (const object of objects) {
    try {
      await client.create({ ...object, metadata: { namespace: 'default', ...object.metadata } })
    } catch (error) {
      if (!isAlreadyThere(error)) throw error
    }
  }
}
