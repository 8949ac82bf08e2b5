import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Mapping, MappingBackend } from '#cni/plugins/portmap/backend.ts'
import { portmapConfig } from '#cni/plugins/portmap/mapping.ts'
import { type PortmapOwner, targetsOf } from '#cni/plugins/portmap/target.ts'
import type { JsonObject, NetworkConfig } from '#cni/protocol/request.ts'
import { NO_RESULT } from '#cni/protocol/result.ts'
import { parseAddress } from '#values/address.ts'
import { RuleKernel } from '../rules/rule-kernel.ts'

// What every back end of portmap promises.

export const OWNER: PortmapOwner = { network: 'mynet', container: 'c1', ifname: 'eth0' }

interface Mapped {
  readonly owner?: PortmapOwner
  /** Of the container's addresses: 10.9.0.N and fd09::N. */
  readonly last?: number
  readonly ports?: readonly object[]
  readonly config?: JsonObject
}

/** As a runtime's configuration, and the result of the plugin before. */
export function mapped({ owner = OWNER, last = 2, ports, config = {} }: Mapped = {}): Mapping {
  const portMappings = ports ?? [{ hostPort: 8080, containerPort: 80 }]
  const raw = { ...config, runtimeConfig: { portMappings } } as JsonObject
  const decoded = portmapConfig({ config: { raw } as NetworkConfig })
  const ips = [
    { address: parseAddress(`10.9.0.${last}`)!, prefixLength: 24 },
    { address: parseAddress(`fd09::${last}`)!, prefixLength: 64 },
  ]
  return { owner, config: decoded, targets: targetsOf(decoded, { ...NO_RESULT, ips }) }
}

const OWNERS: readonly PortmapOwner[] = ['my', 'mynet'].flatMap(network =>
  ['c1', 'c2'].flatMap(container => ['eth0', 'net1'].map(ifname => ({ network, container, ifname }))),
)
const MAPPINGS = OWNERS.map((owner, i) =>
  mapped({ owner, last: i + 2, ports: [8000, 80].map(base => ({ hostPort: base + i, containerPort: 80 })) }),
)

const steps = fc.array(fc.tuple(fc.constantFrom('map', 'map', 'unmap', 'keep', 'flush'), fc.nat(OWNERS.length - 1)), {
  minLength: 4,
  maxLength: 14,
})

interface Way {
  readonly make: (kernel: RuleKernel) => MappingBackend
  /** Lines of a dump that are not there for all containers. */
  readonly isOfContainer: (line: string) => boolean
}

export function mappings({ make, isOfContainer }: Way): void {
  const own = (kernel: RuleKernel) => kernel.dump().filter(isOfContainer)
  const shown = (ports: readonly { family: string; protocol: string; port: number }[]) =>
    ports.map(({ family, protocol, port }) => `${family} ${port}/${protocol}`).sort()

  test('what is mapped is there in both families, and what is taken back leaves nothing, once and again', async () => {
    const kernel = new RuleKernel()
    const by = make(kernel)
    const ports = [
      { hostPort: 8080, containerPort: 80 },
      { hostPort: 53, containerPort: 5353, protocol: 'udp' },
      { hostPort: 9, containerPort: 9, protocol: 'sctp', hostIP: '192.0.2.1' },
    ]
    await by.map(mapped({ ports }))
    expect(await by.missing(mapped({ ports }))).toEqual([])
    const taken = shown(await by.unmap({ owner: OWNER }))
    expect(taken).toEqual(['ipv4 53/udp', 'ipv4 8080/tcp', 'ipv4 9/sctp', 'ipv6 53/udp', 'ipv6 8080/tcp'])
    expect(own(kernel)).toEqual([])
    expect(await by.unmap({ owner: OWNER })).toEqual([])
    expect(await by.missing(mapped({ ports }))).not.toEqual([])
  })

  test('of what the owner had before, nothing is left', async () => {
    const kernel = new RuleKernel()
    const by = make(kernel)
    await by.map(mapped({ ports: [{ hostPort: 1000, containerPort: 1 }] }))
    await by.map(mapped())
    expect(await by.missing(mapped())).toEqual([])
    expect(own(kernel).filter(line => /\b1000\b/.test(line))).toEqual([])
  })

  test('many ports and every port are found again', async () => {
    const by = make(new RuleKernel())
    const ports = Array.from({ length: 40 }, (_, i) => ({ hostPort: 65_535 - i, containerPort: i + 1 }))
    await by.map(mapped({ ports }))
    expect(await by.missing(mapped({ ports }))).toEqual([])
    expect(await by.unmap({ owner: OWNER })).toHaveLength(80)
  })

  test('no port at all is no work', async () => {
    const kernel = new RuleKernel()
    await make(kernel).map(mapped({ ports: [] }))
    expect(kernel.commands).toEqual([])
  })

  test.each([{ snat: false }, { masqAll: true }, { markMasqBit: 3 }])('with %j all of it is there', async config => {
    const by = make(new RuleKernel())
    await by.map(mapped({ config }))
    expect(await by.missing(mapped({ config }))).toEqual([])
  })

  test('whichever command fails, a container has all of its mappings or none', async () => {
    for (let nth = 1; nth < 24; nth++) {
      const kernel = new RuleKernel()
      kernel.fate = () => (kernel.commands.length === nth ? { code: 4, stdout: '', stderr: 'busy' } : undefined)
      const by = make(kernel)
      const error = await by.map(mapped()).catch((failure: Error) => failure)
      kernel.fate = () => undefined
      if (error === undefined) expect([nth, await by.missing(mapped())]).toEqual([nth, []])
      else expect([nth, own(kernel)]).toEqual([nth, []])
    }
  })

  test('whichever command fails, what is not taken back is not said to be', async () => {
    for (let nth = 1; nth < 12; nth++) {
      const kernel = new RuleKernel()
      const by = make(kernel)
      await by.map(mapped())
      const before = kernel.commands.length
      kernel.fate = () =>
        kernel.commands.length === before + nth ? { code: 4, stdout: '', stderr: 'the lock is held' } : undefined
      const taken = await by.unmap({ owner: OWNER }).catch((failure: Error) => failure)
      if (!(taken instanceof Error)) expect([nth, own(kernel)]).toEqual([nth, []])
      kernel.fate = () => undefined
      await by.unmap({ owner: OWNER })
      expect(own(kernel)).toEqual([])
    }
  })

  test('a node whose rules cannot be listed does not pass for one without', async () => {
    const kernel = new RuleKernel()
    const by = make(kernel)
    await by.map(mapped())
    kernel.fate = ({ argv }) =>
      argv.includes('-S') || argv.includes('list') ? { code: 4, stdout: '', stderr: 'the lock is held' } : undefined
    await expect(by.unmap({ owner: OWNER })).rejects.toThrow('the lock is held')
    await expect(by.unmap({ network: OWNER.network, except: [] })).rejects.toThrow('the lock is held')
  })

  test('a chain to which nothing leads any longer goes with its owner', async () => {
    const kernel = new RuleKernel()
    const by = make(kernel)
    await by.map(mapped())
    kernel.iptables.run({
      ...{ does: 'write', argv: ['iptables-restore', '--noflush'], input: '*nat\n-F CNI-HOSTPORT-DNAT\nCOMMIT\n' },
    })
    kernel.nft.run({ does: 'write', argv: ['nft', '-f', '-'], input: 'flush chain ip switchyard_hostports hostports' })
    await by.unmap({ owner: OWNER })
    expect(own(kernel)).toEqual([])
  })

  test('through any life of several owners, each has its own and no other’s', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async walk => {
        const kernel = new RuleKernel()
        const by = make(kernel)
        let there = new Set<number>()
        for (const [does, i] of walk) {
          const owner = OWNERS[i]!
          if (does === 'map') {
            await by.map(MAPPINGS[i]!)
            there.add(i)
          } else if (does === 'unmap') {
            expect((await by.unmap({ owner })).length).toBe(there.delete(i) ? 4 : 0)
          } else if (does === 'flush') {
            kernel.flush()
            there.clear()
          } else {
            await by.unmap({ network: owner.network, except: [owner] })
            there = new Set([...there].filter(one => one === i || OWNERS[one]!.network !== owner.network))
          }
        }
        for (const [i, mapping] of MAPPINGS.entries()) {
          expect((await by.missing(mapping)).length > 0).toBe(!there.has(i))
        }
        for (const owner of OWNERS) await by.unmap({ owner })
        expect(own(kernel)).toEqual([])
      }),
      { numRuns: 40 },
    )
  })
}
