import { Cluster } from '#proxy/cluster/cluster.ts'
import type { Doorway } from '#proxy/desired/flows.ts'
import type { Resolved } from '#proxy/desired/resolve.ts'
import type { Mode, Ruleset, Unit } from '#proxy/modes/mode.ts'
import type { Packet, Path } from '#proxy/modes/trace.ts'
import { diff, settle } from '#proxy/plan/diff.ts'
import { Draft, type Drawn } from '#proxy/sync/draft.ts'
import { type Address, FAMILIES, type Family, familyOf } from '#values/address.ts'
import { type Fate, fateOf, sameFate } from '../support/fate.ts'
import { type Flags, nodeFacts } from '../support/flags.ts'
import { oracle } from '../support/oracle.ts'
import type { Expectation, Knock } from './expectations.ts'
import type { Step, Story } from './story.ts'

// A story and a mode → what does not hold. The rules are kept from step to step as a running node keeps them, and compared
// with those of a node that starts just then; what is expected of packets is put to the tracer and to the oracle alike.

export type ModeOf = (family: Family) => Mode
/** Objects, flags and a packet → where it should end. */
export type Oracle = typeof oracle

/** One line a failure, each with file and line; empty where the story holds. `says` speaks for the mode. */
export function failuresOf(story: Story, modeOf: ModeOf, says: Oracle = oracle): readonly string[] {
  const lanes = FAMILIES.map(family => new StoryLane(story.flags, family, modeOf(family)))
  return story.steps.flatMap(step => {
    const drawn = lanes.map(lane => lane.follow(step))
    const restart = lanes.flatMap(lane => lane.differences(step))
    const owed = drawn.flatMap(({ owed }) => [...owed.values()].flatMap(forgetting)).sort()
    return [
      ...restart,
      ...step.expectations.flatMap(expectation => wrong(expectation, { story, step, lanes, owed, says })),
    ]
  })
}

class StoryLane {
  readonly family: Family
  readonly mode: Mode
  readonly draft: Draft
  readonly #flags: Flags
  readonly #cluster = new Cluster()
  #addresses: readonly Address[] = []
  #installed = new Map<Unit, string>()

  constructor(flags: Flags, family: Family, mode: Mode) {
    this.#flags = flags
    this.family = family
    this.mode = mode
    this.draft = new Draft(this.#cluster, mode, (cluster, endpoints) =>
      nodeFacts({ flags, family, addresses: this.#addresses })(cluster, endpoints),
    )
  }

  /** What a running node has in its kernel. */
  get installed(): Ruleset {
    return this.#installed
  }

  follow({ events, addresses }: Step): Drawn {
    this.#addresses = addresses
    for (const event of events) this.draft.touch(this.#cluster.apply(event).services)
    const drawn = this.draft.update()
    const { book } = this.draft
    this.#installed = settle(this.#installed, diff(this.#installed, book.rules, book.takeTouched()))
    return drawn
  }

  /** Between what a running node has and what one that starts now would write. */
  differences({ where, title, objects, addresses }: Step): readonly string[] {
    const cluster = new Cluster()
    for (const object of objects) cluster.apply({ type: 'put', object })
    const fresh = new Draft(cluster, this.mode, nodeFacts({ flags: this.#flags, family: this.family, addresses }))
    fresh.update()
    const { add, change, remove } = diff(this.#installed, fresh.book.rules)
    const units = [...add.keys(), ...change.keys(), ...remove]
    return units.map(unit => `${where}: ${title}: ${this.family} "${unit}" is not what a restart would write`)
  }
}

interface Moment {
  readonly story: Story
  readonly step: Step
  readonly lanes: readonly StoryLane[]
  readonly owed: readonly string[]
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
        expectation.knock,
        fateOf(expectation.ends.map(end => ({ end, share: 1 / expectation.ends.length }))),
        moment,
      )
    case 'never': {
      const { fate } = traced(expectation.knock, moment)
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
      return sameList(moment.owed, expectation.owed) ? [] : [`it forgets ${moment.owed.join('; ') || 'nothing'}`]
    case 'lost': {
      const lost = moment.lanes.flatMap(({ draft }) => [...draft.resolved()].flatMap(waiting))
      return sameList(lost, expectation.lost) ? [] : [lost.join('; ') || 'nobody waits']
    }
  }
}

function packetComplaints(knock: Knock, wanted: Fate, moment: Moment): readonly string[] {
  const { packet, paths, fate } = traced(knock, moment)
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
  { source: _, ...knock }: Knock,
  { step, lanes }: Moment,
): { packet: Packet; paths: readonly Path[]; fate: Fate } {
  const family = familyOf(knock.to)
  const lane = lanes.find(lane => lane.family === family)!
  const packet = { ...knock, nodeAddresses: step.addresses.filter(address => familyOf(address) === family) }
  const paths = lane.mode.trace(lane.installed, packet)
  return { packet, paths, fate: fateOf(paths) }
}

/** `nat -A KUBE-SERVICES …`, chain units line by line. */
function linesOf(rules: Ruleset): readonly string[] {
  return [...rules].flatMap(([unit, text]) => {
    const table = unit.slice(0, unit.indexOf(' '))
    return text === '' ? [unit] : text.split('\n').map(line => `${table} ${line}`)
  })
}

/** As a story says it; what forgets nothing is not said. */
function forgetting({ protocol, ip, port, stale }: Doorway): readonly string[] {
  const place = ip === undefined ? `node port ${port}` : ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`
  const [sense, answers] = 'unless' in stale ? ['unless answered by', stale.unless] : ['answered by', stale.only]
  if (answers.size === 0) return 'unless' in stale ? [`${protocol} to ${place} answered by anybody`] : []
  return [`${protocol} to ${place} ${sense} ${[...answers].sort().join(' or ')}`]
}

function waiting({ port }: Resolved): readonly string[] {
  return port.lost.map(({ door, holder }) => `${port.id} waits for ${door}, which ${holder} has`)
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.toSorted().join('\n') === b.toSorted().join('\n')
}

function shown(fate: Fate): string {
  return [...fate].map(([end, share]) => (share > 0.999 ? end : `${Math.round(share * 100)}% ${end}`)).join(', ')
}
