import { type RingStore, RingUnusable, type StoredRing } from '#ipam/ring/member.ts'
import { ringOf, ringText } from '#ipam/ring/ring-text.ts'
import { StoredText, type StoredTextParts } from '#kubernetes/writes/stored-text.ts'

// A ConfigMap → the ring that is stored in it.

export const RING_CONFIG_MAP = { namespace: 'kube-system', name: 'switchyard-ring', key: 'ring' } as const
/** The same, to be watched. */
export const RING_OBJECT = {
  path: `/api/v1/namespaces/${RING_CONFIG_MAP.namespace}/configmaps`,
  name: RING_CONFIG_MAP.name,
} as const

type Requests = Pick<StoredTextParts, 'transport' | 'clock'>

/** The connections are asked for with each request: credentials that cannot be used today may be usable tomorrow. */
export function ringStore(requests: () => Promise<Requests>): RingStore {
  /** Reading five thousand nodes' tokens takes longer than asking whether they have changed. */
  let known: StoredRing | undefined
  const stored = async () => new StoredText({ ...(await requests()), ...RING_CONFIG_MAP })
  return {
    async read() {
      const { text, version } = await (await stored()).read(known?.version)
      if (known !== undefined && known.version === version) return known
      const ring = text === undefined ? undefined : ringOf(text)
      if (typeof ring === 'string') {
        const { namespace, name, key } = RING_CONFIG_MAP
        throw new RingUnusable(`ConfigMap ${namespace}/${name}, ${key}: ${ring}`)
      }
      known = { ring, version }
      return known
    },
    write: async (ring, before) => (await stored()).write(ringText(ring), { text: undefined, version: before.version }),
  }
}
