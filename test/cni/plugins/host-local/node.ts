import { answer, type PluginMachine } from '#cni/answer.ts'
import { hostLocal } from '#cni/plugins/host-local/host-local.ts'
import type { CniEnvironment } from '#cni/protocol/environment.ts'
import type { CniCommand } from '#cni/protocol/request.ts'
import type { LeaseBook } from '#ipam/leases/lease-book.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { PaperLeaseBook } from '#lab/paper/lease-book.ts'
import { paperMachine } from '../../parts.ts'
import { variables } from '../../requests.ts'

// A node whose runtime calls host-local by its variables and stdin, and reads what comes back.

export interface Ask {
  readonly container?: string
  readonly env?: CniEnvironment
  readonly ipam?: object | undefined
  /** Beside `ipam`, in place of what a call has otherwise. */
  readonly config?: object
}

export interface Reply {
  readonly code: number
  /** Of stdout; undefined where it is empty. */
  // biome-ignore lint/suspicious/noExplicitAny: what a plugin printed is looked at as it is.
  readonly said: any
  readonly stdout: string
}

export const SMALL = { type: 'host-local', subnet: '10.9.0.0/29', cooldown: '0s' }
export const DUAL = {
  type: 'host-local',
  ranges: [[{ subnet: '10.9.0.0/29' }], [{ subnet: 'fd00:9::/64' }]],
  cooldown: '0s',
}

export class PaperNode {
  readonly clock = new PaperClock(Date.parse('2026-11-29T05:00:00Z'))
  readonly files = new Map<string, string>()
  readonly namespaces = new Map<string, string>()
  boot = 'boot-1'
  /** Addresses whose connections the kernel was to forget. */
  readonly forgotten: string[] = []
  book: LeaseBook = new PaperLeaseBook({
    clock: this.clock,
    boot: this.boot,
    witness: path => this.namespaces.get(path),
  })

  /** In the newest version, unless the configuration says another. */
  async ask(command: CniCommand, { container = 'c1', env = {}, ipam = SMALL, config = {} }: Ask = {}): Promise<Reply> {
    const call = {
      plugin: 'host-local',
      env: variables(command, { CNI_CONTAINERID: container, CNI_NETNS: `/run/netns/${container}`, ...env }),
      stdin: JSON.stringify({ cniVersion: '1.1.0', name: 'net1', type: 'bridge', ipam, ...config }),
    }
    const { stdout, code } = await answer(call, { plugins: [hostLocal], machine: this.#machine(), version: 'v1' })
    return { code, stdout, said: stdout === '' ? undefined : JSON.parse(stdout) }
  }

  /** The addresses of an ADD, or what the error says. */
  async add(container: string, asked: Ask = {}): Promise<string> {
    const { code, said } = await this.ask('ADD', { ...asked, container })
    if (code !== 0) return `${said.code}: ${said.msg}`
    return said.ips.map((ip: { readonly address: string }) => ip.address).join(' ')
  }

  async del(container: string, asked: Ask = {}): Promise<string> {
    const { code, said } = await this.ask('DEL', { ...asked, container })
    return code === 0 ? 'ok' : `${said.code}: ${said.msg}`
  }

  /** What the network's containers hold now. */
  async held(container: string, network = 'net1'): Promise<readonly string[]> {
    return (await this.book.held({ network, container, ifname: 'eth0' })).map(({ address }) => address)
  }

  #machine(): PluginMachine {
    const machine = paperMachine()
    return {
      ...machine,
      clock: this.clock,
      forgetConnections: addresses => void this.forgotten.push(...addresses),
      files: {
        ...machine.files,
        read: async path => this.files.get(path),
        bootId: async () => this.boot,
        namespaceId: async path => this.namespaces.get(path) ?? machine.files.namespaceId(path),
      },
      leases: async () => this.book,
    }
  }
}
