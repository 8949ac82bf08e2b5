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
  for (const [endings, read, whole] of [
    [LISTS, parseNetworkList, withFolder],
    [SINGLES, (text: string) => listOfOne(parsePlugin(text)), withoutFolder],
  ] as const) {
    for (const file of names.filter(candidate => endings.some(ending => candidate.endsWith(ending)))) {
      const path = `${folder}/${file}`
      try {
        const network = await parsedFile(files, path, read)
        if (network?.name === name) return { network: await whole(network, folder, files), file: path, problems }
        if (network !== undefined) found.push(network.name)
      } catch (error) {
        problems.push((error as Error).message)
      }
    }
  }
  throw new Error([notFound(name, folder, found), ...problems].join('\n'))
}

/** Plugins of a list may stand in files of their own, in a folder with the name of the network. */
async function withFolder(network: NetworkList, folder: string, files: PlainFiles): Promise<NetworkList> {
  if (network.loadOnlyInlinedPlugins) return network
  const below = `${folder}/${network.name}`
  const names = ((await files.list(below)) ?? []).filter(name => name.endsWith('.conf'))
  const more = await Promise.all(names.map(name => parsedFile(files, `${below}/${name}`, parsePlugin)))
  const plugins = [...network.plugins, ...more.filter(plugin => plugin !== undefined)]
  if (plugins.length === 0)
    throw new Error(`network ${JSON.stringify(network.name)} has no plugins, and there are none in ${below}`)
  return { ...network, plugins }
}

async function withoutFolder(network: NetworkList): Promise<NetworkList> {
  return network
}

/** Undefined where the file has gone meanwhile. */
async function parsedFile<T>(files: PlainFiles, path: string, parse: (text: string) => T): Promise<T | undefined> {
  try {
    const text = await files.read(path)
    return text === undefined ? undefined : parse(text)
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error })
  }
}

function notFound(name: string, folder: string, found: readonly string[]): string {
  const there =
    found.length === 0 ? 'there is no network in it' : `it has ${found.map(one => JSON.stringify(one)).join(', ')}`
  return `no net configuration with name ${JSON.stringify(name)} in ${folder}; ${there}`
}
