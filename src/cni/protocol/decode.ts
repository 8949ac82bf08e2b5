import { ConfigFields } from './config-fields.ts'
import { type CniEnvironment, readEnvironment } from './environment.ts'
import { CniError, CODE } from './error.ts'
import { isJsonObject, readJson, shownJson } from './json.ts'
import { checkNetworkName } from './names.ts'
import type { Attachment, CniCommand, CniRequest, NetworkConfig } from './request.ts'
import type { CniResult } from './result.ts'
import { decodeDns, decodeResult } from './shapes/decode-result.ts'
import { atLeast, type CniVersion, supportedVersion } from './versions.ts'

// The environment and stdin of a plugin → a CniRequest, or the CniError that says what is wrong with them.

export interface PluginCall {
  /** The name of the executable. */
  readonly plugin: string
  readonly env: CniEnvironment
  readonly stdin: string
}

/** Not for VERSION, which has no configuration. */
export function decodeRequest({ plugin, env, stdin }: PluginCall): CniRequest {
  const asked = readEnvironment(env)
  return { plugin, ...asked, config: decodeConfig(stdin, { command: asked.command, type: plugin }) }
}

const SINCE: Partial<Record<CniCommand, CniVersion>> = { CHECK: '0.4.0', GC: '1.1.0', STATUS: '1.1.0' }

/** `type` stands in where the configuration has none: an executable knows its own name. */
export function decodeConfig(
  stdin: string,
  { command, type }: { readonly command: CniCommand; readonly type: string },
): NetworkConfig {
  const raw = parsed(stdin)
  const fields = new ConfigFields(raw)
  const name = textOrEmpty(fields, 'name')
  checkNetworkName(name)
  const cniVersion = supportedVersion(textOrEmpty(fields, 'cniVersion'))
  const since = SINCE[command]
  if (since !== undefined && !atLeast(cniVersion, since)) {
    const details = `${command} came with version ${since}, the configuration's cniVersion is ${cniVersion}`
    throw new CniError(CODE.version, `config version does not allow ${command}`, details)
  }
  const config = {
    cniVersion,
    name,
    type: neededBy(command, fields, 'type').text('type') || type,
    ipam: fields.object('ipam') && (fields.plain('ipam') as NetworkConfig['raw']),
    dns: decodeDns(neededBy(command, fields, 'dns').object('dns')),
    prevResult: previous(fields, command),
    validAttachments: command === 'GC' ? attachmentsIn(fields) : undefined,
    raw,
  }
  fields.refuse()
  return config
}

function parsed(stdin: string): Readonly<Record<string, unknown>> {
  const read = readJson(stdin)
  if (!read.ok) throw new CniError(CODE.decode, `error unmarshall network config: ${read.why}`, lintHint(stdin))
  if (isJsonObject(read.json)) return read.json
  throw new CniError(CODE.decode, `error unmarshall network config: ${shownJson(read.json)} is not an object in braces`)
}

function lintHint(stdin: string): string {
  return stdin.trim() === '' ? 'stdin is empty; the network configuration is wanted there' : ''
}

/** Fails where it is there and no text. */
function textOrEmpty(fields: ConfigFields, key: string): string {
  const text = fields.text(key)
  if (text === undefined && fields.has(key)) fields.refuse()
  return text ?? ''
}

function previous(fields: ConfigFields, command: CniCommand): CniResult | undefined {
  const at = neededBy(command, fields, 'prevResult')
  const object = at.object('prevResult')
  const result = object && decodeResult(object)
  return command === 'DEL' && at.problems.length > 0 ? undefined : result
}

/** A DEL does without one of these that cannot be understood: what a container holds must come back all the same. */
function neededBy(command: CniCommand, fields: ConfigFields, key: 'type' | 'dns' | 'prevResult'): ConfigFields {
  return command === 'DEL' ? new ConfigFields({ [key]: fields.plain(key) }) : fields
}

function attachmentsIn(fields: ConfigFields): readonly Attachment[] | undefined {
  // The second key is what the specification's first text had, and so what libcni 1.2.0 sends.
  const key = ['cni.dev/valid-attachments', 'cni.dev/attachments'].find(one => fields.has(one))
  if (key === undefined) return undefined
  return fields.objects(key).map(attachment => {
    const [container, ifname] = [attachment.text('containerID'), attachment.text('ifname')]
    // To pass over an entry would take its addresses back, from a container that lives.
    if (!container || !ifname) attachment.complain(`${attachment.pathOf('containerID')} and ifname must both be there`)
    return { container: container ?? '', ifname: ifname ?? '' }
  })
}
