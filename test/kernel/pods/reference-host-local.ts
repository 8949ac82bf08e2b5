import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answer } from '#cni/answer.ts'
import { nodeMachine } from '#cni/daemon/machine.ts'
import { hostLocal } from '#cni/plugins/host-local/host-local.ts'
import type { CniCommand } from '#cni/protocol/request.ts'
import { anyCommand } from '#lab/any-command.ts'
import { systemClock } from '#system/clock.ts'
import { hostKernel } from '#system/processes/kernel.ts'

// One call → what the reference plugin says, and what ours says, each with state of its own.

export interface Call {
  readonly command: CniCommand
  readonly container: string
  /** With `ipam`, to which the folder of the reference plugin's state is added. */
  readonly config: { readonly ipam: object } & Readonly<Record<string, unknown>>
  readonly args?: string
  readonly netns?: string
}

export interface Said {
  readonly stdout: string
  readonly code: number
}

const REFERENCE = '/usr/lib/cni/host-local'

/** `call` asks both. */
export class SideBySide {
  readonly folder = mkdtempSync(join(tmpdir(), 'switchyard-host-local-'))
  readonly #kernel = hostKernel()
  readonly #machine = nodeMachine({
    kernel: this.#kernel,
    clock: systemClock,
    database: join(this.folder, 'ipam.db'),
  })

  async call(call: Call): Promise<{ readonly reference: Said; readonly ours: Said }> {
    const stdin = JSON.stringify({
      name: 'net1',
      type: 'bridge',
      ...call.config,
      ipam: { type: 'host-local', dataDir: join(this.folder, 'networks'), cooldown: '0s', ...call.config.ipam },
    })
    const env = {
      CNI_COMMAND: call.command,
      CNI_CONTAINERID: call.container,
      CNI_NETNS: call.netns ?? `/run/netns/${call.container}`,
      CNI_IFNAME: 'eth0',
      CNI_PATH: '/usr/lib/cni',
      CNI_ARGS: call.args ?? '',
    }
    const reference = await this.#kernel.run(anyCommand([REFERENCE], { input: stdin, env }))
    const parts = { plugins: [hostLocal], machine: this.#machine, version: 'v1' }
    const ours = await answer({ plugin: 'host-local', env, stdin }, parts)
    return { reference, ours }
  }

  end(): void {
    this.#machine.close()
    rmSync(this.folder, { recursive: true })
  }
}
