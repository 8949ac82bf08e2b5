import { readFileSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'
import { clusterIPRanges, type ServiceRangeFlags } from '#lab/api-server/services/service-ranges.ts'
import type { ClusterClient } from '#lab/client/cluster-client.ts'
import type { ApiObject } from '#lab/client/objects.ts'
import { isAlreadyThere } from '#lab/client/refused.ts'
import { parseAddress } from '#values/address.ts'
import { contains } from '#values/cidr.ts'

// fixtures/clusters/tour.yaml → objects in a cluster; those that are there already stay as they are.

const FILE = new URL('../../../fixtures/clusters/tour.yaml', import.meta.url)

/** Of another range than theirs, Services get what the API server gives them. */
export function tourObjects(services: ServiceRangeFlags): readonly ApiObject[] {
  const ranges = clusterIPRanges(services)
  const fits = (text: string) => {
    const address = parseAddress(text)!
    return ranges.some(range => contains(range, address))
  }
  return parseAllDocuments(readFileSync(FILE, 'utf8')).map(document => {
    const object = document.toJS() as ApiObject & { readonly spec?: { readonly clusterIP?: string } }
    const { clusterIP, ...spec } = object.spec ?? {}
    return { ...object, spec: { ...spec, ...(clusterIP !== undefined && fits(clusterIP) && { clusterIP }) } }
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
