import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cannotRun } from '../namespace.ts'
import { Installation, PodsNode } from './pods-node.ts'
import { cannotCompile, startShim } from './shim.ts'

// A node with pods that changes from the reference's plugins to ours and back, again and again: either ends what the other
// began, every pod keeps its addresses and is reached by them, and none has those of another.

const REFERENCE = '/usr/lib/cni'
const DATA_DIR = '/var/lib/cni/networks'
const missing = existsSync(`${REFERENCE}/bridge`) ? undefined : `${REFERENCE}/bridge is not installed`
const why = cannotRun('iptables', 'nft', 'busybox', 'nsenter', 'unshare') ?? cannotCompile() ?? missing

/** Thirteen addresses of either family: what is given comes round soon. */
const NETWORK = {
  ...{ cniVersion: '1.0.0', name: 'pods', type: 'bridge', bridge: 'cni0', isGateway: true, ipMasq: true },
  ipam: {
    type: 'host-local',
    ranges: [[{ subnet: '10.9.0.0/28' }], [{ subnet: 'fd00:9::/124' }]],
    routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
    cooldown: '0s',
  },
}
const HUB = ['10.9.0.2', 'fd00:9::2'] as const
const WHO = '#!/bin/sh\nprintf "\\r\\n%s" "$REMOTE_ADDR"\n'

type Side = 'reference' | 'ours'
interface Act {
  readonly act: 'ADD' | 'DEL'
  readonly slot: number
}

const phase = fc.array(fc.record({ act: fc.constantFrom('ADD', 'ADD', 'DEL'), slot: fc.nat(7) }), {
  minLength: 5,
  maxLength: 9,
})

describe.skipIf(why !== undefined)(`swapping plugins${why ? ` (skipped: ${why})` : ''}`, () => {
  let installation: Installation
  beforeAll(() => {
    installation = new Installation()
  })
  afterAll(() => installation.remove())

  test('loses no address, gives none twice, and pods go on', async () => {
    const phases = fc.array(phase, { minLength: 5, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(phases, async all => {
        const node = await SwappedNode.start(installation)
        try {
          await node.begin()
          for (const acts of all as readonly (readonly Act[])[]) await node.live(acts)
          await node.endAll()
        } finally {
          await node.stop()
        }
      }),
      { numRuns: 2, endOnFailure: true },
    )
  }, 300_000)
})

interface Attached {
  readonly container: string
  readonly addresses: readonly string[]
  readonly result: object
}

class SwappedNode {
  readonly #node: PodsNode
  readonly #installation: Installation
  readonly #pods = new Map<number, Attached>()
  #hub: ChildProcess | undefined
  #side: Side = 'reference'
  #made = 0

  private constructor(node: PodsNode, installation: Installation) {
    this.#node = node
    this.#installation = installation
  }

  static async start(installation: Installation): Promise<SwappedNode> {
    return new SwappedNode(await PodsNode.start(installation), installation)
  }

  /** The reference's plugins have attached a pod by then, which answers. */
  async begin(): Promise<void> {
    await this.#node.startDaemon()
    await this.#add(-1)
    this.#node.runWith(WHO, [
      'sh',
      '-c',
      'mkdir -p /run/www/cgi-bin && cd /run/www/cgi-bin && cat > who && chmod +x who',
    ])
    const words = ['ip', 'netns', 'exec', 'pod-0', 'busybox', 'httpd', '-f', '-p', '80', '-h', '/run/www']
    const [enter, ...argv] = this.#node.within(words)
    this.#hub = spawn(enter, argv, { stdio: 'ignore' })
    await expect.poll(() => this.#node.succeeds(...asking(HUB[0])), { timeout: 60_000 }).toBe(true)
  }

  /** Some pods come and go, all is as the model says, and then the other plugins' turn begins. */
  async live(acts: readonly Act[]): Promise<void> {
    for (const { act, slot } of acts) {
      if (act === 'ADD' && !this.#pods.has(slot)) await this.#add(slot)
      if (act === 'DEL' && this.#pods.has(slot)) await this.#end(slot)
    }
    for (const pod of this.#pods.values()) this.#compare(pod)
    const words = this.#side === 'reference' ? 'import' : 'export'
    const { status, stdout } = this.#node.ipam(words, DATA_DIR)
    expect(status, stdout).toBe(0)
    this.#side = this.#side === 'reference' ? 'ours' : 'reference'
    if (this.#side === 'ours') {
      const containers = [...this.#pods.values()].flatMap(({ container }) => [`pods ${container}`, `pods ${container}`])
      expect(this.#node.held()).toEqual(containers.sort())
    }
  }

  /** The model is empty, and so is the node. */
  async endAll(): Promise<void> {
    for (const slot of [...this.#pods.keys()]) await this.#end(slot)
    expect(this.#node.links()).toEqual(['lo', 'cni0'])
    const rules = this.#node.run('sh', '-c', 'iptables-save; ip6tables-save; nft list ruleset')
    expect(rules.match(/.*(10\.9\.0|fd00:9:|CNI-[0-9a-f]{24}).*/g)).toBeNull()
    if (this.#side === 'ours') expect(this.#node.held()).toEqual([])
    else expect(this.#node.run('ls', `${DATA_DIR}/pods`).match(/^[\d.]+$|:/gm)).toBeNull()
  }

  async stop(): Promise<void> {
    this.#hub?.kill('SIGKILL')
    await this.#node.stop()
  }

  async #add(slot: number): Promise<void> {
    const container = `pod-${this.#made++}`
    this.#node.pod(container)
    const result = JSON.parse(await this.#call('ADD', container, {}))
    const addresses = result.ips.map((ip: { readonly address: string }) => ip.address.split('/')[0])
    const others = [...this.#pods.values()].flatMap(pod => pod.addresses)
    expect(addresses.filter((address: string) => others.includes(address))).toEqual([])
    this.#pods.set(slot, { container, addresses, result })
  }

  async #end(slot: number): Promise<void> {
    const { container, result } = this.#pods.get(slot)!
    await this.#call('DEL', container, { prevResult: result })
    this.#node.run('ip', 'netns', 'delete', container)
    this.#pods.delete(slot)
  }

  async #call(command: 'ADD' | 'DEL', container: string, more: object): Promise<string> {
    const bin = this.#side === 'reference' ? REFERENCE : this.#installation.bin
    const env = { CNI_COMMAND: command, CNI_CONTAINERID: container, CNI_NETNS: `/run/netns/${container}` }
    const [enter, ...words] = this.#node.within([join(bin, 'bridge')])
    const { code, stdout, stderr } = await startShim(enter, {
      env: { ...env, CNI_IFNAME: 'eth0', CNI_PATH: bin, PATH: process.env.PATH! },
      stdin: JSON.stringify({ ...NETWORK, ...more }),
      words,
    }).ended
    if (code !== 0) throw new Error(`${this.#side}: ${command} of ${container} exited with ${code}: ${stdout}${stderr}`)
    return stdout
  }

  /** It has its addresses and no others, and is seen by them. */
  #compare({ container, addresses }: Attached): void {
    const shown = this.#node.run('ip', '-n', container, '-o', 'address', 'show', 'eth0', 'scope', 'global')
    expect(shown.match(/(?<=inet6? )[^/]+/g)).toEqual(addresses)
    if (container === 'pod-0') return
    HUB.forEach((hub, i) => {
      const seen = this.#node.run('ip', 'netns', 'exec', container, ...asking(hub))
      expect(seen.replaceAll(/\[(::ffff:)?|\]/g, '')).toBe(addresses[i])
    })
  }
}

function asking(hub: string): readonly string[] {
  const url = `http://${hub.includes(':') ? `[${hub}]` : hub}/cgi-bin/who`
  return ['timeout', '30', 'busybox', 'wget', '-q', '-O', '-', url]
}
