import type { IpamSettings } from '#config/settings.ts'
import { nextJson, nextText } from '#ipam/answers/next-text.ts'
import { ringAnswer, ringJson } from '#ipam/answers/ring-answer.ts'
import { isNearlyFull, statusJson, statusTable } from '#ipam/answers/status-table.ts'
import type { AddressFacts } from '#ipam/answers/who.ts'
import { whoJson } from '#ipam/answers/who-json.ts'
import { whoText } from '#ipam/answers/who-text.ts'
import { readHistoryStart, readHolders, readLeasesOf, readNext, readRing, readUsages } from '#ipam/leases/lease-view.ts'
import { parseAddress } from '#values/address.ts'
import { parseMoment } from '#values/moment.ts'
import { type CommandMoment, type IpamAnswer, ofNetwork, required } from './answer.ts'

// `ipam who`, `next` and `status`: questions to the database alone.

/** Also where leases have been imported. */
const EMPTY = 'No ranges are known on this node yet: those of a network are with its first ADD.'

export function who(text: string, { output, at }: IpamSettings, { database, now }: CommandMoment): IpamAnswer {
  const address = parseAddress(text)
  if (address === undefined) {
    throw new Error(`ipam who: ${JSON.stringify(text)} is no address; one such as 10.244.1.7 is wanted`)
  }
  const then = at === undefined ? undefined : parseMoment(at, now)
  if (then !== undefined && then > now)
    throw new Error(`--at: invalid value ${JSON.stringify(at)}: that is yet to come`)
  const historyStart = readHistoryStart(database)
  const networks = required(readLeasesOf(database, address, now), database)
  const facts: AddressFacts = {
    ...{ address, now, networks, holders: readHolders(database, address) ?? [] },
    ...(then !== undefined && { at: then }),
    ...(historyStart !== undefined && { historyStart }),
  }
  return { text: output === 'json' ? whoJson(facts) : whoText(facts), status: 0 }
}

/** 1 where the next pod gets no address of a set. */
export function next({ output, network }: IpamSettings, { database, ...moment }: CommandMoment): IpamAnswer {
  const sets = ofNetwork(required(readNext({ path: database, ...moment }), database), network)
  const status = sets.every(({ address }) => address !== undefined) ? 0 : 1
  if (output === 'json') return { text: nextJson(sets), status }
  return { text: sets.length === 0 ? EMPTY : nextText(sets, moment.now), status }
}

/** 1 where a set is nearly full. */
export function status({ output, network }: IpamSettings, { database, ...moment }: CommandMoment): IpamAnswer {
  const sets = ofNetwork(required(readUsages({ path: database, ...moment }), database), network)
  const code = isNearlyFull(sets) ? 1 : 0
  const ring = readRing(database)
  if (output === 'json') return { text: statusJson(sets, ring && ringJson(ring)), status: code }
  const text = sets.length === 0 ? EMPTY : statusTable(sets, moment.now)
  return { text: ring === undefined ? text : `${text}\n\n${ringAnswer(ring, moment.now)}`, status: code }
}
