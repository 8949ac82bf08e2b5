import type { Ruleset } from '#proxy/modes/mode.ts'
import type { End, Packet, Path } from '#proxy/modes/trace.ts'
import { hostPort } from '#values/address.ts'
import { isLocal, type Traveller } from './fields.ts'
import { hookOf } from './parse.ts'
import { type Outcome, walk } from './walk.ts'

// A ruleset and a first packet → every way the packet can go, through the hooks it passes on its way.

export function trace(rules: Ruleset, packet: Packet): readonly Path[] {
  const { to, port } = packet
  const start: Traveller = { packet, share: 1, hops: [], to, port, state: new Set() }
  const pass = passer(rules)
  const ways = pass(start, [packet.via.hook])
  const onward = ways.flatMap(way => (way.end === 'on' ? pass(way.traveller, hooksAhead(way.traveller)) : [way]))
  return onward.map(({ traveller, end }) => ({
    share: traveller.share,
    hops: traveller.hops,
    end: endOf(traveller, end),
  }))
}

/** After the first hook it is known where the packet goes. One that the node sends to itself comes in as well. */
function hooksAhead({ packet, to }: Traveller): readonly string[] {
  const out = packet.via.hook === 'output'
  if (isLocal(to, packet)) return out ? ['postrouting', 'input'] : ['input']
  return out ? ['postrouting'] : ['forward', 'postrouting']
}

type Pass = (traveller: Traveller, hooks: readonly string[]) => readonly Outcome[]

function passer(rules: Ruleset): Pass {
  const chains = baseChains(rules)
  return (traveller, hooks) => {
    const names = hooks.flatMap(hook => chains.filter(chain => chain.hook === hook).map(({ name }) => name))
    return names.reduce<readonly Outcome[]>(
      (ways, name) => ways.flatMap(way => (way.end === 'on' ? accepted(walk(rules, name, way.traveller)) : [way])),
      [{ traveller, end: 'on' }],
    )
  }
}

/** What one base chain accepts, the next one still sees. */
function accepted(outcomes: readonly Outcome[]): readonly Outcome[] {
  return outcomes.map(({ traveller, end }) => ({ traveller, end: end === 'accept' ? 'on' : end }))
}

/** In the order in which the kernel asks them. */
function baseChains(rules: Ruleset): readonly { readonly name: string; readonly hook: string }[] {
  const found = [...rules].flatMap(([unit, text]) => {
    const hooked = unit.startsWith('chain ') ? hookOf(text) : undefined
    return hooked === undefined ? [] : [{ name: unit.slice('chain '.length), ...hooked }]
  })
  return found.sort((a, b) => a.priority - b.priority)
}

function endOf({ to, port, state }: Traveller, end: Outcome['end']): End {
  if (end === 'drop') return { to: 'dropped' }
  if (end === 'reject') return { to: 'rejected' }
  const masqueraded = state.has('masqueraded')
  if (state.has('translated')) return { to: 'endpoint', endpoint: hostPort(to, port), masqueraded }
  return { to: 'untouched', masqueraded }
}
