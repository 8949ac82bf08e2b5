import type { NftSet, NftState, NftTable } from './state.ts'

// Tables → what `nft -j list` prints of them.

const METAINFO = { metainfo: { version: '1.0.6', release_name: 'Lester Gooch #5', json_schema_version: 1 } }

export interface Shown {
  readonly elements: boolean
}

export function asJson(objects: readonly object[]): string {
  return `${JSON.stringify({ nftables: [METAINFO, ...objects] })}\n`
}

export function tableHeads(state: NftState, family?: string): readonly object[] {
  return tablesOf(state, family).map(headOf)
}

export function tablesOf(state: NftState, family?: string): readonly NftTable[] {
  return [...state.values()].filter(table => family === undefined || table.family === family)
}

export function wholeTable(table: NftTable, shown: Shown): readonly object[] {
  return [
    headOf(table),
    ...[...table.sets.keys()].map(name => setObject(table, name, shown)),
    ...[...table.chains.keys()].flatMap(name => chainHead(table, name)),
    ...[...table.chains.keys()].flatMap(name => rulesOf(table, name)),
  ]
}

export function wholeChain(table: NftTable, name: string): readonly object[] {
  return [chainHead(table, name), ...rulesOf(table, name)]
}

export function chainHead({ family, name: table, chains }: NftTable, name: string): object {
  const { handle, hook } = chains.get(name)!
  return { chain: { family, table, name, handle, ...hook } }
}

export function setObject({ family, name: table, sets }: NftTable, name: string, { elements }: Shown): object {
  const set = sets.get(name)!
  const { handle, types, map, flags } = set
  const listed = {
    ...{ family, name, table, type: types.length === 1 ? types[0] : types, handle },
    ...(map !== undefined && { map }),
    ...(flags.includes('dynamic') && { size: 65_535 }),
    ...(flags.includes('timeout') && { flags: ['timeout'] }),
    ...(elements && set.elements.size > 0 && { elem: elementsOf(set) }),
  }
  return map === undefined ? { set: listed } : { map: listed }
}

function headOf({ family, name, handle }: NftTable): object {
  return { table: { family, name, handle } }
}

function rulesOf({ family, name: table, chains }: NftTable, chain: string): readonly object[] {
  return chains.get(chain)!.rules.map(({ handle, comment, expr }) => {
    return { rule: { family, table, chain, handle, ...(comment !== undefined && { comment }), expr } }
  })
}

function elementsOf({ map, elements }: NftSet): readonly unknown[] {
  return [...elements.values()].map(({ key, value, comment }) => {
    const listed = comment === undefined ? key : { elem: { val: key, comment } }
    return map === undefined ? listed : [listed, value]
  })
}
