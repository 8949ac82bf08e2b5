import type { PlainFiles } from '#system/plain-files.ts'
import { listOfOne, type NetworkList, parseNetworkList, parsePlugin } from './network-list.ts'

// The folder of configurations and the name of a network → that network. By libcni's order: lists first, then single
// plugins, each in the order of their names. A file that cannot be read stops nothing where another one has the network.

export interface FoundNetwork {
  readonly network: NetworkList
  readonly file: string
  /** Of files that were looked at before it, one line each. */
  readonly problems: readonly string[]
}

const LISTS = ['.conflist']
const SINGLES = ['.conf', '.json']

export async function findNetwork(files: PlainFiles, folder: string, name: string): Promise<FoundNetwork> {
  const names = (await files.list(folder)) ?? []
  const problems: string[] = []
  const found: string[] = []
  for (const [endings, read] of [
    [LISTS, readList],
    [SINGLES, readSingle],
  ] as const) {
    for (const file of names.filter(candidate => endings.some(ending => candidate.endsWith(ending)))) {
      const path = `${folder}/${file}`
      try {
        const network = await read(files, path)
        if (network?.name === name) return { network: await complete(files, folder, network), file: path, problems }
        if (network !== undefined) found.push(network.name)
      } catch (error) {
        problems.push(`${path}: ${(error as Error).message}`)
      }
    }
  }
  throw new Error([notFound(name, folder, found), ...problems].join('\n'))
}

/** Plugins of a list may stand in files of their own, in a folder with the name of the network. */
async function complete(files: PlainFiles, folder: string, network: NetworkList): Promise<NetworkList> {
  if (network.loadOnlyInlinedPlugins) return network
  const below = `${folder}/${network.name}`
  const names = ((await files.list(below)) ?? []).filter(name => name.endsWith('.conf'))
  const more = await Promise.all(names.map(async name => parsePlugin((await files.read(`${below}/${name}`)) ?? '')))
  const plugins = [...network.plugins, ...more]
  if (plugins.length === 0)
    throw new Error(`network ${JSON.stringify(network.name)} has no plugins, and there are none in ${below}`)
  return { ...network, plugins }
}

async function readList(files: PlainFiles, path: string): Promise<NetworkList | undefined> {
  const text = await files.read(path)
  return text === undefined ? undefined : parseNetworkList(text)
}

async function readSingle(files: PlainFiles, path: string): Promise<NetworkList | undefined> {
  const text = await files.read(path)
  return text === undefined ? undefined : listOfOne(parsePlugin(text))
}

function notFound(name: string, folder: string, found: readonly string[]): string {
  const there =
    found.length === 0 ? 'there is no network in it' : `it has ${found.map(one => JSON.stringify(one)).join(', ')}`
  return `no net configuration with name ${JSON.stringify(name)} in ${folder}; ${there}`
}
