import { expect, test } from 'vitest'
import { LAYOUT } from '#proxy/modes/iptables/layout.ts'
import { portions } from '#proxy/modes/iptables/portions.ts'
import type { Plan, Unit } from '#proxy/modes/mode.ts'
import { restore } from '#proxy/modes/netfilter/document.ts'
import { unit, unitSet } from '../../../support/units.ts'

const NFT = { family: 'ipv4', variant: 'nft', restore: 'iptables-nft-restore', save: 'iptables-nft-save' } as const
const ALL = unit('nat KUBE-SERVICES')
const REFUSED = unit('filter KUBE-SERVICES')
const JUMP = unit('nat -A PREROUTING -j KUBE-SERVICES')

/** So many Services, each with one endpoint. */
function plan(services: number): Plan {
  const names = Array.from({ length: services }, (_, i) => String(i).padStart(16, 'A'))
  const chains = names.flatMap(name => [
    [unit(`nat KUBE-SVC-${name}`), `-A KUBE-SVC-${name} -j KUBE-SEP-${name}`] as const,
    [unit(`nat KUBE-SEP-${name}`), `-A KUBE-SEP-${name} -j DNAT --to-destination 10.0.0.1:80`] as const,
  ])
  const all = names.map(name => `-A KUBE-SERVICES -d 10.96.0.1/32 -j KUBE-SVC-${name}`).join('\n')
  const add = new Map<Unit, string>([[ALL, all], ...chains, [REFUSED, ''], [JUMP, '']])
  return { add, change: new Map(), before: new Map(), remove: unitSet('nat KUBE-SVC-GONE') }
}

test('what fits into a document of a few megabytes is one, and legacy knows no other', () => {
  const [small, large] = [plan(9000), plan(30_000)]
  expect([...portions(small, NFT)]).toEqual([small])
  expect([...portions(large, { variant: 'legacy' })]).toEqual([large])
})

test('of a very large plan, chains that nothing leads to go ahead, each after those that it jumps to', () => {
  const whole = plan(12_000)
  const all = [...portions(whole, NFT)]
  expect(all.length).toBeGreaterThan(2)
  const stand = new Set<Unit>()
  for (const { add } of all) {
    for (const text of add.values()) {
      for (const [, target] of text.matchAll(/-j (KUBE-\S+)/g)) {
        const called = unit(`nat ${target}`)
        expect(stand.has(called) || add.has(called), `${target} stands`).toBe(true)
      }
    }
    for (const unit of add.keys()) stand.add(unit)
  }
  expect(stand).toEqual(new Set(whole.add.keys()))
  const last = all.at(-1)!
  expect([...last.add.keys()]).toEqual([ALL, REFUSED, JUMP])
  expect(last.remove).toEqual(whole.remove)
  for (const { change, remove } of all.slice(0, -1)) expect(change.size + remove.size).toBe(0)
})

test('each portion is one document', () => {
  for (const portion of portions(plan(12_000), NFT)) expect(restore(portion, NFT, LAYOUT)).toHaveLength(1)
})
