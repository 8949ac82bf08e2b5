import { describe, expect, test } from 'vitest'
import { FAMILIES, type Family } from '#values/address.ts'
import { MODE_CASES, type ModeCase } from '../../../contracts/mode/cases.ts'
import { endIn, packetIn, rulesOf } from '../../../contracts/mode/scene.ts'
import { type Fate, fateOf, sameFate } from '../../../support/fate.ts'
import { userspaceIn } from './tools.ts'

// The cases of the mode contract, changed alike for all of them: the relay opens the second connection itself, so the
// endpoint sees the node's address, and every end that is an endpoint is masqueraded.

const CANNOT: Readonly<Record<string, string>> = {
  'node ports do not answer on loopback':
    'as in kube-proxy 1.20, the listener is on this very node, so 127.0.0.1 is as good as any of its addresses',
  'an undefined port of a cluster IP is refused':
    'as in kube-proxy, nothing in this mode knows which addresses are cluster IPs',
  'the node itself is refused at an external address without endpoints':
    'as in iptables mode: what the node sends elsewhere goes to the host that really has the address',
}

describe.each(FAMILIES)('userspace: the mode contract in %s', family => {
  for (const one of MODE_CASES) {
    const reason = CANNOT[one.title]
    if (reason !== undefined) test.fails(`${one.title} (cannot: ${reason})`, () => passes(one, family))
    else test(one.title, () => passes(one, family))
  }
})

test('every exception names a case', () => {
  const titles = MODE_CASES.map(({ title }) => title)
  expect(Object.keys(CANNOT).filter(title => !titles.includes(title))).toEqual([])
})

function passes({ given, expects }: ModeCase, family: Family): void {
  const mode = userspaceIn(family)
  const rules = rulesOf(mode, family, given)
  for (const [packet, ...ends] of expects) {
    const found = fateOf(mode.trace(rules, packetIn(family, packet)))
    const wanted: Fate = new Map(ends.map(end => [masqueraded(endIn(family, end)), 1 / ends.length]))
    if (sameFate(found, wanted)) continue
    expect(Object.fromEntries(found), `where this goes: ${JSON.stringify(packet)}`).toEqual(Object.fromEntries(wanted))
  }
}

function masqueraded(end: string): string {
  return /:\d+$/.test(end) ? `${end} masqueraded` : end
}
