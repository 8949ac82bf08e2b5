import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Attachment, CniCommand } from '#cni/protocol/request.ts'
import { parseNetworkList } from '#cni/runner/network-list.ts'
import type { PluginTurn } from '#cni/runner/plugin-starter.ts'
import { ResultCache } from '#cni/runner/result-cache.ts'
import { Runner } from '#cni/runner/runner.ts'
import type { Outcome } from '#system/ports.ts'
import { outcome } from '../parts.ts'
import { PaperFiles } from './paper-files.ts'

// Random ADDs, DELs and GCs of a few containers with plugins that fail now and then, some of them half way. What a plugin holds
// is always known to the runner, or has been reported; and all of it can be given back.

const TYPES = ['bridge', 'portmap', 'tuning'] as const
const FAILED = outcome({ code: 100, msg: 'no' }, 1)

/** How often a plugin fails next at a command; an ADD that fails may have taken something before. */
interface Fault {
  readonly at: string
  readonly leaves: 'nothing' | 'half'
}

class Node {
  readonly files = new PaperFiles()
  readonly cache = new ResultCache(this.files, '/c')
  readonly runner = new Runner(turn => this.#start(turn), this.cache)
  readonly faults: Fault[] = []
  /** `TYPE CONTAINER` */
  readonly held = new Set<string>()

  async #start({ env, config }: PluginTurn): Promise<Outcome> {
    const [type, container] = [String(config.type), env.CNI_CONTAINERID ?? '']
    const i = this.faults.findIndex(({ at }) => at === `${type} ${env.CNI_COMMAND}`)
    const fault = i < 0 ? undefined : this.faults.splice(i, 1)[0]
    switch (env.CNI_COMMAND as CniCommand) {
      case 'ADD':
        if (fault?.leaves !== 'nothing') this.held.add(`${type} ${container}`)
        return fault === undefined ? outcome({ ips: [{ address: '10.9.0.3/29' }] }) : FAILED
      case 'DEL':
        if (fault === undefined) this.held.delete(`${type} ${container}`)
        break
      case 'GC':
        if (fault === undefined) this.#collect(type, config['cni.dev/valid-attachments'])
    }
    return fault === undefined ? outcome('') : FAILED
  }

  #collect(type: string, valid: unknown): void {
    if (valid === undefined) return
    const kept = (valid as readonly { readonly containerID: string }[]).map(
      ({ containerID }) => `${type} ${containerID}`,
    )
    for (const one of this.held) if (one.startsWith(`${type} `) && !kept.includes(one)) this.held.delete(one)
  }

  heldBy(container: string): readonly string[] {
    return TYPES.filter(type => this.held.has(`${type} ${container}`))
  }
}

const container = fc.constantFrom('c1', 'c2', 'c3')
const fault = fc.record({
  at: fc.tuple(fc.constantFrom(...TYPES), fc.constantFrom('ADD', 'DEL', 'GC')).map(words => words.join(' ')),
  leaves: fc.constantFrom('nothing' as const, 'half' as const),
})
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant('add' as const), container, isFull: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('del' as const), container }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('gc' as const), valid: fc.uniqueArray(container) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('fail' as const), fault }) },
)

const attachment = (name: string) => ({
  container: name,
  ifname: 'eth0',
  netns: `/n/${name}`,
  args: [],
  capabilities: {},
})
const named = (name: string): Attachment => ({ container: name, ifname: 'eth0' })

test.each(['0.4.0', '1.1.0'])(
  'what plugins of version %s hold is known or was reported, and is given back',
  async cniVersion => {
    const plugins = TYPES.map(type => ({ type }))
    const network = parseNetworkList(JSON.stringify({ cniVersion, name: 'net1', plugins }))
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async steps => {
        const node = new Node()
        const attached = new Set<string>()
        /** Of which an error said that a plugin may still hold something. */
        const reported = new Set<string>()
        for (const one of steps) {
          if (one.does === 'fail') node.faults.push(one.fault)
          else if (one.does === 'add') {
            const before = node.heldBy(one.container)
            node.files.failure = one.isFull && !attached.has(one.container) ? new Error('no space left') : undefined
            const error = await node.runner.add(network, attachment(one.container)).then(
              () => undefined,
              (reason: Error) => reason,
            )
            node.files.failure = undefined
            if (attached.has(one.container))
              expect([error?.message, node.heldBy(one.container)]).toEqual([expect.stringContaining('already'), before])
            else if (error === undefined) attached.add(one.container)
            else if (`${error.message} ${'details' in error ? error.details : ''}`.includes('taking it back failed'))
              reported.add(one.container)
            else reported.delete(one.container)
          } else if (one.does === 'del') {
            const isDone = await node.runner.del(network, attachment(one.container)).then(
              () => true,
              () => false,
            )
            if (isDone) for (const set of [attached, reported]) set.delete(one.container)
            else reported.add(one.container)
          } else {
            const isDone = await node.runner.gc(network, one.valid.map(named)).then(
              () => true,
              () => false,
            )
            const kept = (await node.cache.attachments('net1')).map(it => it.container)
            for (const name of attached) if (!kept.includes(name)) attached.delete(name)
            for (const name of kept.filter(it => !one.valid.some(valid => valid === it))) {
              expect(isDone).toBe(false)
              reported.add(name)
            }
          }
          expect((await node.cache.attachments('net1')).map(it => it.container)).toEqual([...attached].sort())
          for (const name of ['c1', 'c2', 'c3']) {
            if (attached.has(name) && !reported.has(name)) expect(node.heldBy(name)).toEqual(TYPES)
            if (!attached.has(name) && !reported.has(name)) expect(node.heldBy(name)).toEqual([])
          }
        }
        node.faults.length = 0
        if (cniVersion === '1.1.0') await node.runner.gc(network, [])
        else for (const name of ['c1', 'c2', 'c3']) await node.runner.del(network, attachment(name))
        expect([node.held.size, node.files.texts.size]).toEqual([0, 0])
      }),
      { numRuns: 300 },
    )
  },
)
