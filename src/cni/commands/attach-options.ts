import { hash } from 'node:crypto'
import { resolve } from 'node:path'
import { isJsonObject, readJson, shownJson } from '#cni/protocol/json.ts'
import type { Attachment, JsonObject } from '#cni/protocol/request.ts'
import type { RuntimeAttachment } from '#cni/runner/attachment.ts'
import type { CniAsked } from './command.ts'

// Flags, and the variables of cnitool where a flag is not given → what is attached, and where configurations and plugins are.

export function folderOf({ settings, env }: CniAsked): string {
  return settings.confDir ?? (env.NETCONFPATH || '/etc/cni/net.d')
}

export function attachmentOf(given: string, { settings, env }: CniAsked): RuntimeAttachment {
  const netns = given === '' || given.includes('/') ? given && resolve(given) : `/run/netns/${given}`
  return {
    container: settings.containerId ?? `cnitool-${hash('sha512', netns).slice(0, 20)}`,
    ifname: settings.ifname ?? (env.CNI_IFNAME || 'eth0'),
    netns,
    args: argsIn(settings.args ?? env.CNI_ARGS ?? '', settings.args === undefined ? 'CNI_ARGS' : '--args'),
    capabilities: capabilitiesIn(
      settings.capabilityArgs ?? env.CAP_ARGS ?? '',
      settings.capabilityArgs === undefined ? 'CAP_ARGS' : '--capability-args',
    ),
  }
}

function argsIn(text: string, from: string): RuntimeAttachment['args'] {
  return text
    .split(';')
    .filter(pair => pair !== '')
    .map(pair => {
      const at = pair.indexOf('=')
      if (at < 1)
        throw new Error(`${from}: ${JSON.stringify(pair)} is not like KEY=VALUE, several of them separated by ";"`)
      return [pair.slice(0, at), pair.slice(at + 1)] as const
    })
}

function capabilitiesIn(text: string, from: string): JsonObject {
  if (text === '') return {}
  const read = readJson(text)
  if (read.ok && isJsonObject(read.json)) return read.json
  const why = read.ok ? 'it is no object in braces' : read.why
  throw new Error(
    `${from}: ${shownJson(text)} must be JSON such as {"portMappings": [{"hostPort": 80, "containerPort": 80}]}: ${why}`,
  )
}

/** Undefined where it is not said which attachments are valid. */
export function validOf({ settings: { validAttachments } }: CniAsked): readonly Attachment[] | undefined {
  if (validAttachments.length === 0) return undefined
  if (validAttachments.length === 1 && validAttachments[0] === 'none') return []
  return validAttachments.map(word => {
    const [container, ifname, ...more] = word.split('/')
    if (!container || !ifname || more.length > 0)
      throw new Error(
        `--valid-attachments: ${JSON.stringify(word)} is not like CONTAINER/IFNAME; "none" where no attachment is valid`,
      )
    return { container, ifname }
  })
}

/** CNI_PATH. */
export function pluginFolders({ settings, env }: CniAsked): readonly string[] {
  if (settings.binDirs.length > 0) return settings.binDirs
  const folders = (env.CNI_PATH ?? '').split(':').filter(folder => folder !== '')
  return folders.length > 0 ? folders : ['/opt/cni/bin']
}
