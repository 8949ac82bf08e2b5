import { anyCommand } from '#lab/any-command.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { NO_FLOWS, PaperListeners } from '#lab/paper/listeners.ts'
import type { Unit } from '#proxy/modes/mode.ts'
import { withRelay } from '#proxy/relay/with-relay.ts'
import type { Kernel } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import type { ModeWorld } from '../../contracts/mode/capabilities.ts'
import { unitText } from '../../support/units.ts'

// Kernels of paper that the modes write to, with other programs on them.

const TOUCHES = { ours: 'add rule ip nat PREROUTING', others: 'add rule ip docker FORWARD' }

export function iptablesWorld(family: Family, kernel: Kernel = new PaperKernel()): ModeWorld {
  return {
    kernel,
    stays: unit => unitText(unit).includes('KUBE-FIREWALL'),
    holder: holderOn(kernel, family),
    touches: TOUCHES,
  }
}

/** With relay and listeners. */
export function relayWorld(): ModeWorld {
  return { kernel: withRelay(new PaperKernel(), new PaperListeners(), NO_FLOWS), touches: TOUCHES }
}

export function nftWorld(): ModeWorld {
  return { kernel: new PaperKernel(), touches: { ours: 'add rule ip kube-proxy services', others: TOUCHES.others } }
}

function holderOn(kernel: Kernel, family: Family) {
  const program = family === 'ipv4' ? 'iptables' : 'ip6tables'
  return async (unit: Unit) => {
    const [table = '', chain = ''] = unitText(unit).split(' ')
    const run = (...words: readonly string[]) => kernel.run(anyCommand([program, '-t', table, ...words]))
    await run('-N', 'FOREIGN')
    await run('-A', 'FOREIGN', '-j', chain)
    return async () => void (await run('-F', 'FOREIGN'))
  }
}
