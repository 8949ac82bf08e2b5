import type { Ruleset } from '#proxy/modes/mode.ts'
import { kindOf, unitParts } from '#proxy/modes/nftables/names.ts'
import { type End, isOwn, type Packet, type Path } from '#proxy/modes/trace.ts'
import { hostPort } from '#values/address.ts'
import type { NftPacket } from './fields.ts'
import { hookOf } from './parse.ts'
import { type ChainExit, walk } from './walk.ts'

// A ruleset and a first packet → every way the packet can go, through the hooks it passes on its way.

export function trace(rules: Ruleset, packet: Packet): readonly Path[] {
  const { to, port } = packet
  const start: NftPacket = { packet, share: 1, hops: [], to, port, state: new Set() }
  const pass = passer(rules)
  const ways = pass(start, [packet.via.hook])
  const onward = ways.flatMap(way => (way.end === 'on' ? pass(way.traced, hooksAhead(way.traced)) : [way]))
  return onward.map(({ traced, end }) => ({
    share: traced.share,
    hops: traced.hops,
    end: endOf(traced, end),
  }))
}

/** After the first hook, routing knows where the packet goes. One that the node sends to itself passes the input hook as well. */
function hooksAhead({ packet, to }: NftPacket): readonly string[] {
  const out = packet.via.hook === 'output'
  if (isOwn(to, packet)) return out ? ['postrouting', 'input'] : ['input']
  return out ? ['postrouting'] : ['forward', 'postrouting']
}

type Pass = (traced: NftPacket, hooks: readonly string[]) => readonly ChainExit[]

function passer(rules: Ruleset): Pass {
  const chains = baseChains(rules)
  return (traced, hooks) => {
    const names = hooks.flatMap(hook => chains.filter(chain => chain.hook === hook).map(({ name }) => name))
    return names.reduce<readonly ChainExit[]>(
      (ways, name) => ways.flatMap(way => (way.end === 'on' ? accepted(walk(rules, name, way.traced)) : [way])),
      [{ traced, end: 'on' }],
    )
  }
}

/** A packet that one base chain accepts goes on to the next. */
function accepted(exits: readonly ChainExit[]): readonly ChainExit[] {
  return exits.map(({ traced, end }) => ({ traced, end: end === 'accept' ? 'on' : end }))
}

/** In the order in which packets pass them. */
function baseChains(rules: Ruleset): readonly { readonly name: string; readonly hook: string }[] {
  const found = [...rules].flatMap(([unit, text]) => {
    const hooked = kindOf(unit) === 'chain' ? hookOf(text) : undefined
    return hooked === undefined ? [] : [{ name: unitParts(unit).name, ...hooked }]
  })
  return found.sort((a, b) => a.priority - b.priority)
}

function endOf({ to, port, state }: NftPacket, end: ChainExit['end']): End {
  if (end === 'drop') return { to: 'dropped' }
  if (end === 'reject') return { to: 'rejected' }
  const masqueraded = state.has('masqueraded')
  if (state.has('translated')) return { to: 'endpoint', endpoint: hostPort(to, port), masqueraded }
  return { to: 'untouched', masqueraded }
}
