import type { PluginAnswer } from '../answer.ts'
import type { PluginCall } from '../protocol/decode.ts'

// A call and its answer → what a person wants to know of them: whose they were, and what came out.

export interface CallSummary {
  readonly command: string
  readonly plugin: string
  readonly network: string | undefined
  readonly container: string | undefined
  readonly ifname: string | undefined
  readonly netns: string | undefined
  /** `namespace/name`, where the runtime says it. */
  readonly pod: string | undefined
  /** With their prefix lengths; undefined where none came out. */
  readonly ips: readonly string[] | undefined
  readonly failure: CallFailure | undefined
}

export interface CallFailure {
  readonly code: number
  readonly message: string
  readonly details: string
}

export function summaryOf({ plugin, env, stdin }: PluginCall, output: PluginAnswer): CallSummary {
  const given = (name: string): string | undefined => env[name] || undefined
  const ips = list(object(output.stdout)?.ips).flatMap(ip => text(objectOf(ip)?.address) ?? [])
  return {
    command: given('CNI_COMMAND') ?? '',
    plugin,
    network: text(object(stdin)?.name),
    container: given('CNI_CONTAINERID'),
    ifname: given('CNI_IFNAME'),
    netns: given('CNI_NETNS'),
    pod: podOf(env.CNI_ARGS ?? ''),
    ips: ips.length === 0 ? undefined : ips,
    failure: output.code === 0 ? undefined : failureOf(output),
  }
}

/** An executable may end without a word; then what it wrote to stderr is all there is. */
function failureOf({ code, stdout, stderr }: PluginAnswer): CallFailure {
  const said = object(stdout)
  return {
    code: typeof said?.code === 'number' ? said.code : code,
    message: text(said?.msg) ?? (stderr.trim() || `it ended with ${code}`),
    details: text(said?.details) ?? '',
  }
}

function podOf(args: string): string | undefined {
  const pairs = new Map<string, string>()
  for (const pair of args.split(';')) pairs.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
  const [namespace, name] = [pairs.get('K8S_POD_NAMESPACE'), pairs.get('K8S_POD_NAME')]
  if (!name) return undefined
  return namespace ? `${namespace}/${name}` : name
}

type Fields = Readonly<Record<string, unknown>>

function object(json: string): Fields | undefined {
  // A DEL answers with nothing, and an error costs more than all the rest.
  if (json === '') return undefined
  try {
    return objectOf(JSON.parse(json))
  } catch {
    return undefined
  }
}

function objectOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null ? (value as Fields) : undefined
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
