import { Cluster } from '#proxy/cluster/cluster.ts'
import type { FrontendFlows } from '#proxy/desired/flows.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Resolved } from '#proxy/desired/resolve.ts'
import type { Mode, Ruleset, Unit } from '#proxy/modes/mode.ts'
import type { Packet, Path } from '#proxy/modes/trace.ts'
import { applied, diff } from '#proxy/plan/diff.ts'
import { Draft, type DraftUpdate } from '#proxy/sync/draft.ts'
import { type Address, FAMILIES, type Family, familyOf } from '#values/address.ts'
import { type Fate, fateOf, sameFate } from '../support/fate.ts'
import { type NodeFactsOptions, nodeFacts } from '../support/flags.ts'
import { oracle } from '../support/oracle.ts'
import { textsOf, unitText } from '../support/units.ts'
import { ANY_ADDRESS, type Expectation, NONE_WAITS, type StoryPacket } from './expectations.ts'
import type { Step, Story } from './story.ts'

// A story and a mode → the expectations that fail. The rules are kept from step to step as a running agent keeps them,
// and compared with those of an agent that starts at that step; expected ends of packets are compared with tracer and
// oracle.

export type ModeOf = (family: Family) => Mode
/** Objects, flags and a packet → its ends. */
export type Oracle = typeof oracle

export interface CheckOptions {
  /** The oracle of the mode. */
  readonly says?: Oracle
  /** How frontends are dispatched in a mode with a choice. */
  readonly dispatch?: NodeView['dispatch']
}

/** One line a failure, each with file and line; empty where the story holds. */
export function failuresOf(story: Story, modeOf: ModeOf, options: CheckOptions = {}): readonly string[] {
  const { says = oracle, dispatch = 'flat' } = options
  const lanes = FAMILIES.map(family => new StoryLane({ flags: story.flags, family, dispatch }, modeOf(family)))
  return story.steps.flatMap(step => {
    const drawn = lanes.map(lane => lane.follow(step))
    const restart = lanes.flatMap(lane => lane.differences(step))
    const flows = drawn.flatMap(({ pendingFlows }) => [...pendingFlows.values()].flatMap(forgetting)).sort()
    return [
      ...restart,
      ...step.expectations.flatMap(expectation => wrong(expectation, { story, step, lanes, flows, says })),
    ]
  })
}

class StoryLane {
  readonly family: Family
  readonly mode: Mode
  readonly draft: Draft
  readonly #facts: Omit<NodeFactsOptions, 'addresses'>
  readonly #cluster = new Cluster()
  #addresses: readonly Address[] = []
  #installed = new Map<Unit, string>()

  constructor(facts: Omit<NodeFactsOptions, 'addresses'>, mode: Mode) {
    this.#facts = facts
    this.family = facts.family
    this.mode = mode
    this.draft = new Draft(this.#cluster, mode, (...seen) =>
      nodeFacts({ ...facts, addresses: this.#addresses })(...seen),
    )
  }

  /** The rules in the kernel of a running node. */
  get installed(): Ruleset {
    return this.#installed
  }

  follow({ events, addresses }: Step): DraftUpdate {
    this.#addresses = addresses
    for (const event of events) this.draft.touch(this.#cluster.apply(event).services)
    const drawn = this.draft.update()
    const { book } = this.draft
    this.#installed = applied(this.#installed, diff(this.#installed, book.rules, book.takeTouched()))
    return drawn
  }

  /** Between the rules of a running agent and those that an agent that starts now would write. */
  differences({ where, title, objects, addresses }: Step): readonly string[] {
    const cluster = new Cluster()
    for (const object of objects) cluster.apply({ type: 'put', object })
    const fresh = new Draft(cluster, this.mode, nodeFacts({ ...this.#facts, addresses }))
    fresh.update()
    const { add, change, remove } = diff(this.#installed, fresh.book.rules)
    const units = [...add.keys(), ...change.keys(), ...remove]
    return units.map(unit => `${where}: ${title}: ${this.family} "${unitText(unit)}" is not what a restart would write`)
  }
}

interface Moment {
  readonly story: Story
  readonly step: Step
  readonly lanes: readonly StoryLane[]
  /** Conntrack entries that this step deletes. */
  readonly flows: readonly string[]
  readonly says: Oracle
}

function wrong(expectation: Expectation, moment: Moment): readonly string[] {
  const { line } = expectation
  const failures = complaints(expectation, moment)
  return failures.map(failure => `${line.where}: ${moment.step.title}: expected "${line.text}", but ${failure}`)
}

function complaints(expectation: Expectation, moment: Moment): readonly string[] {
  switch (expectation.about) {
    case 'packet':
      return packetComplaints(
        expectation.packet,
        fateOf(expectation.ends.map(end => ({ end, share: 1 / expectation.ends.length }))),
        moment,
      )
    case 'never': {
      const { fate } = traced(expectation.packet, moment)
      const reached = expectation.endpoints.filter(
        endpoint => fate.has(endpoint) || fate.has(`${endpoint} masqueraded`),
      )
      return reached.map(endpoint => `it reaches ${endpoint}`)
    }
    case 'rule': {
      const found = moment.lanes
        .filter(({ family }) => expectation.families.includes(family))
        .flatMap(({ installed }) => linesOf(installed))
        .filter(text => expectation.pattern.test(text))
      if (expectation.present) return found.length > 0 ? [] : ['there is no such rule']
      return found.map(text => `there is: ${text}`)
    }
    case 'forgets':
      return sameList(moment.flows, expectation.flows) ? [] : [`it forgets ${moment.flows.join('; ') || 'nothing'}`]
    case 'lost': {
      const lost = moment.lanes.flatMap(({ draft }) => [...draft.resolved()].flatMap(waiting))
      return sameList(lost, expectation.lost) ? [] : [lost.join('; ') || NONE_WAITS]
    }
  }
}

function packetComplaints(sent: StoryPacket, wanted: Fate, moment: Moment): readonly string[] {
  const { packet, paths, fate } = traced(sent, moment)
  const said = moment.says(moment.step.objects, moment.story.flags, packet)
  const hops = paths
    .map(path => path.hops.map(({ rule, did }) => `\n    ${rule}\n      ${did}`).join(''))
    .join('\n   or')
  return [
    ...(sameFate(fate, wanted) ? [] : [`the rules make it: ${shown(fate)}${hops}`]),
    ...(sameFate(said, wanted) ? [] : [`the oracle says: ${shown(said)}`]),
  ]
}

function traced(
  { source: _, ...sent }: StoryPacket,
  { step, lanes }: Moment,
): { packet: Packet; paths: readonly Path[]; fate: Fate } {
  const family = familyOf(sent.to)
  const lane = lanes.find(lane => lane.family === family)!
  const packet = { ...sent, nodeAddresses: step.addresses.filter(address => familyOf(address) === family) }
  const paths = lane.mode.trace(lane.installed, packet)
  return { packet, paths, fate: fateOf(paths) }
}

/** `nat -A KUBE-SERVICES …`, chain units line by line. */
function linesOf(rules: Ruleset): readonly string[] {
  return [...textsOf(rules)].flatMap(([unit, text]) => {
    const table = unit.slice(0, unit.indexOf(' '))
    return text === '' ? [unit] : text.split('\n').map(line => `${table} ${line}`)
  })
}

/** As a story writes it; a frontend whose flows all stay is left out. */
function forgetting({ protocol, ip, port, stale }: FrontendFlows): readonly string[] {
  const frontend = ip === undefined ? `node port ${port}` : ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`
  const [sense, answers] = 'unless' in stale ? ['unless answered by', stale.unless] : ['answered by', stale.only]
  if (answers.size === 0) return 'unless' in stale ? [`${protocol} to ${frontend} answered by ${ANY_ADDRESS}`] : []
  return [`${protocol} to ${frontend} ${sense} ${[...answers].sort().join(' or ')}`]
}

function waiting({ port }: Resolved): readonly string[] {
  return port.lost.map(({ frontend, holder }) => `${port.id} waits for ${frontend}, which ${holder} has`)
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.toSorted().join('\n') === b.toSorted().join('\n')
}

function shown(fate: Fate): string {
  return [...fate].map(([end, share]) => (share > 0.999 ? end : `${Math.round(share * 100)}% ${end}`)).join(', ')
}
