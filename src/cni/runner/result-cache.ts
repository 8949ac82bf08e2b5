import { ConfigFields } from '#cni/protocol/config-fields.ts'
import { isJsonObject, readJson } from '#cni/protocol/json.ts'
import type { JsonObject } from '#cni/protocol/request.ts'
import type { CniResult } from '#cni/protocol/result.ts'
import { decodeResult } from '#cni/protocol/shapes/decode-result.ts'
import type { PlainFiles } from '#system/plain-files.ts'
import type { RuntimeAttachment } from './attachment.ts'

// What an ADD made, kept for the DEL, CHECK and GC that come later. Names and contents are those of libcni, so that this
// runner, cnitool and container runtimes can take over from each other.

export interface KeptAttachment extends RuntimeAttachment {
  readonly network: string
  /** The configuration of the ADD, as it stood in its file. */
  readonly config: string
  /** Undefined where it cannot be understood. */
  readonly result: CniResult | undefined
}

const KIND = 'cniCacheV1'

type Named = Pick<KeptAttachment, 'network' | 'container' | 'ifname'>

export class ResultCache {
  readonly #files: PlainFiles
  readonly #folder: string

  /** `folder` is libcni's, such as /var/lib/cni: the files stand in `results` below it. */
  constructor(files: PlainFiles, folder: string) {
    this.#files = files
    this.#folder = `${folder}/results`
  }

  pathOf({ network, container, ifname }: Named): string {
    return `${this.#folder}/${network}-${container}-${ifname}`
  }

  /** `printed` is the result as the runtime got it. */
  async keep(kept: Omit<KeptAttachment, 'result'>, printed: JsonObject): Promise<void> {
    await this.#files.write(this.pathOf(kept), JSON.stringify(cacheJson(kept, printed)))
  }

  async load(named: Named): Promise<KeptAttachment | undefined> {
    const text = await this.#files.read(this.pathOf(named))
    return text === undefined ? undefined : keptIn(text, named)
  }

  async forget(named: Named): Promise<void> {
    await this.#files.remove(this.pathOf(named))
  }

  /** All of one network, in the order of their names; files of other programs are passed over. */
  async attachments(network: string): Promise<readonly KeptAttachment[]> {
    const names = ((await this.#files.list(this.#folder)) ?? []).filter(name => name.startsWith(`${network}-`))
    const kept = await Promise.all(
      names.map(async name => {
        const path = `${this.#folder}/${name}`
        const found = keptIn((await this.#files.read(path)) ?? '')
        // A name may go on, as that of a file that was never finished.
        return found !== undefined && found.network === network && this.pathOf(found) === path ? [found] : []
      }),
    )
    return kept.flat()
  }
}

function cacheJson(kept: Omit<KeptAttachment, 'result'>, result: JsonObject): JsonObject {
  return {
    kind: KIND,
    containerId: kept.container,
    config: Buffer.from(kept.config).toString('base64'),
    ifName: kept.ifname,
    networkName: kept.network,
    ...(kept.netns !== '' && { netns: kept.netns }),
    ...(kept.args.length > 0 && { cniArgs: kept.args }),
    ...(Object.keys(kept.capabilities).length > 0 && { capabilityArgs: kept.capabilities }),
    result,
  }
}

/** Before libcni kept more, a file held the result alone: who it belongs to stands in its name then. */
function keptIn(text: string, named?: Named): KeptAttachment | undefined {
  const read = readJson(text)
  if (!read.ok || !isJsonObject(read.json)) return undefined
  const { json } = read
  if (json.kind !== KIND) {
    return named && { ...named, netns: '', args: [], capabilities: {}, config: '', result: resultIn(json) }
  }
  const fields = new ConfigFields(json)
  const [container, ifname, network] = [fields.text('containerId'), fields.text('ifName'), fields.text('networkName')]
  if (!container || !ifname || !network) return undefined
  const { capabilityArgs = {}, result } = json
  return {
    ...{ container, ifname, network },
    netns: fields.text('netns') ?? '',
    args: pairsIn(json.cniArgs),
    capabilities: isJsonObject(capabilityArgs) ? capabilityArgs : {},
    config: Buffer.from(fields.text('config') ?? '', 'base64').toString(),
    result: isJsonObject(result) ? resultIn(result) : undefined,
  }
}

function resultIn(json: JsonObject): CniResult | undefined {
  const fields = new ConfigFields(json)
  const result = decodeResult(fields)
  return fields.problems.length === 0 ? result : undefined
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

function pairsIn(value: unknown): readonly (readonly [string, string])[] {
  if (!Array.isArray(value)) return []
  return value.filter(
    (pair): pair is [string, string] => Array.isArray(pair) && pair.length === 2 && pair.every(isText),
  )
}
