import { type Invocation, start } from '#command-line/start.ts'
import type { Settings } from '#config/settings.ts'
import { fitMode, needsOf } from '#proxy/agent/fit-mode.ts'
import { localhostNodePorts } from '#proxy/node/node-view.ts'
import { allowLocalhost, tuneMachine } from '#proxy/node/tuning.ts'
import { cpuCount } from '#system/host.ts'
import { print } from '#system/output.ts'
import type { Kernel } from '#system/ports.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { FAMILIES } from '#values/address.ts'

// setup, and run --init-only: what takes more of root's rights than running does, done once. It needs no API server.

export function main(argv: readonly string[]): Promise<number> {
  return start('setup', argv, async ({ settings, log }) => {
    await setup({ settings, log, kernel: hostKernel() })
    print('This node is prepared: with the same settings, CAP_NET_ADMIN is enough to run.')
    return 0
  })
}

export interface SetupParts extends Pick<Invocation, 'settings' | 'log'> {
  readonly kernel: Kernel
}

export async function setup({ settings, log, kernel }: SetupParts): Promise<void> {
  await tuneMachine({ settings, kernel, log, cpus: cpuCount() })
  if (localhostNodePorts(settings, 'ipv4', needsOf(settings))) await allowLocalhost({ kernel, log })
  await prepareMode(settings, kernel)
}

/** What the mode itself needs of the kernel, such as modules. One family that has it is enough. */
async function prepareMode(settings: Settings, kernel: Kernel): Promise<void> {
  const fitted = await Promise.allSettled(FAMILIES.map(family => fitMode(settings, family, kernel)))
  const refused = fitted.flatMap(result => (result.status === 'rejected' ? [result.reason] : []))
  if (refused.length === FAMILIES.length) throw refused[0]
}
