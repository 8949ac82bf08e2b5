import { describe, expect, test } from 'vitest'
import { restoreInto, saveAll } from '#dialects/iptables.ts'
import { withProxyPorts } from '#dialects/relay.ts'
import { touchOf } from '#lab/paper/ruleset-watch.ts'
import { iptables } from '#proxy/modes/iptables/index.ts'
import { ipvs } from '#proxy/modes/ipvs/index.ts'
import { userspace } from '#proxy/modes/userspace/index.ts'
import { part, unit } from '../../../support/units.ts'

// What a touch by another program means for the units of a mode that writes chains.

const TOOLS = { family: 'ipv4', variant: 'nft', restore: 'iptables-nft-restore', save: 'iptables-nft-save' } as const
const WATCHES = {
  iptables: iptables(TOOLS).watches!,
  ipvs: ipvs({ tools: TOOLS, scheduler: 'rr', excludeCIDRs: [] }).watches!,
  userspace: userspace({ tools: TOOLS }).watches!,
}

describe('a touch concerns', () => {
  test.each([
    ['iptables', 'delete rule ip nat KUBE-SERVICES', 'nat KUBE-SERVICES'],
    ['iptables', 'add rule ip nat KUBE-SERVICES', 'nat KUBE-SERVICES'],
    ['iptables', 'delete rule ip nat PREROUTING', 'nat PREROUTING'],
    ['iptables', 'add rule ip filter FORWARD', 'filter FORWARD'],
    ['iptables', 'delete chain ip nat KUBE-SVC-3TNEVSQEVUCP4TQO', 'nat KUBE-SVC-3TNEVSQEVUCP4TQO'],
    ['iptables', 'delete chain ip nat PREROUTING', 'nat PREROUTING'],
    ['iptables', 'add rule ip filter KUBE-FIREWALL', 'filter KUBE-FIREWALL'],
    ['iptables', 'add chain ip filter KUBE-FIREWALL', 'filter KUBE-FIREWALL'],
    ['iptables', 'delete table ip filter', 'nothing'],
    ['iptables', 'add rule ip nat DOCKER', 'nothing'],
    ['iptables', 'delete rule ip6 nat KUBE-SERVICES', 'nothing'],
    ['iptables', 'add chain ip mangle KUBE-KUBELET-CANARY', 'nothing'],
    ['iptables', 'add rule ip nat KUBE-MARK-DROP', 'nothing'],
    ['iptables', 'delete table ip docker', 'nothing'],
    ['iptables', 'add chain ip nat PREROUTING', 'nothing'],
    ['iptables', 'add table ip nat', 'nothing'],
    ['userspace', 'add rule ip nat DOCKER', 'nat DOCKER'],
    ['userspace', 'add rule ip nat KUBE-PORTALS-HOST', 'nat KUBE-PORTALS-HOST'],
    ['userspace', 'add rule ip mangle PREROUTING', 'nothing'],
    ['ipvs', 'delete rule ip nat KUBE-LOAD-BALANCER', 'nat KUBE-LOAD-BALANCER'],
    ['ipvs', 'delete rule ip nat DOCKER', 'nothing'],
  ] as const)('in %s mode: %s → %s', (mode, touch, concern) => {
    expect(WATCHES[mode].concerns(touchOf(touch))).toBe(concern)
  })
})

describe('a command of ours', () => {
  test('is known to the kernel by the first 15 characters of its program, where it commits anything', () => {
    const restore = restoreInto(TOOLS, '')
    expect(WATCHES.iptables.author(restore)).toBe('iptables-nft-re')
    expect(WATCHES.iptables.author(saveAll(TOOLS))).toBeUndefined()
    expect(WATCHES.userspace.author(withProxyPorts('ipv4', restore))).toBe('iptables-nft-re')
  })
})

describe('a unit stands in', () => {
  test.each([
    ['nat KUBE-SERVICES', 'nat KUBE-SERVICES', 'nat KUBE-SERVICES'],
    ['nat -A PREROUTING -j KUBE-SERVICES', 'nat PREROUTING', undefined],
    ['filter -A KUBE-FIREWALL ! -s 127.0.0.0/8 -j DROP #2', 'filter KUBE-FIREWALL', undefined],
  ] as const)('%s', (text, called, whole) => {
    const parts = WATCHES.iptables.parts!
    expect(parts.of(unit(text))).toBe(called)
    expect(parts.unitOf(part(called))).toBe(whole)
  })

  test('no part, where it is not of iptables', () => {
    expect(WATCHES.ipvs.parts!.of(unit('server tcp 10.96.0.1:80'))).toBeUndefined()
    expect(WATCHES.userspace.parts!.of(unit('listen tcp shop/cart'))).toBeUndefined()
  })
})

test('there is nothing to watch where iptables is the legacy one', () => {
  expect(iptables({ ...TOOLS, variant: 'legacy' }).watches).toBeUndefined()
})

test('only ipvs mode has units of which the kernel reports no change', () => {
  const partial = Object.entries(WATCHES).filter(([, { isPartial }]) => isPartial)
  expect(partial.map(([name]) => name)).toEqual(['ipvs'])
})
