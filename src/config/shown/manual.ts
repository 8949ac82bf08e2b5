import { KINDS } from '#config/table/kinds.ts'
import { GROUPS, verbsOf } from '#config/table/setting.ts'
import { FLAGGED, type FlaggedSetting } from '#config/table/table.ts'
import { VERBS } from '#config/verbs.ts'
import { shownDefault } from './help.ts'

// The verbs and the settings table → the manual page switchyard(1), in the macros of man(7).

export function manualPage(version: string): string {
  return [
    `.TH SWITCHYARD 1 "" "Switchyard ${escaped(version)}" "Network of a Kubernetes node"`,
    '.SH NAME',
    'switchyard \\- the network of a Kubernetes node: Services and pods',
    '.SH SYNOPSIS',
    ...Object.entries(VERBS).flatMap(([verb, { operands }]) => synopsis(verb, operands)),
    '.SH DESCRIPTION',
    'A drop\\-in replacement for kube\\-proxy, CNI plugins with the daemon behind them, and address management. Without a verb,',
    'Services are proxied on this node, with the command line of kube\\-proxy.',
    '.SH VERBS',
    ...Object.entries(VERBS).flatMap(([verb, { does, commands = {} }]) => [
      '.TP',
      `.B ${escaped(verb)}`,
      text(`${does[0]!.toUpperCase()}${does.slice(1)}.`),
      ...Object.entries(commands).flatMap(([words, what]) => ['.RS', '.TP', `.B ${escaped(words)}`, text(what), '.RE']),
    ]),
    '.SH OPTIONS',
    'The verbs that have a flag stand behind it in brackets; the others refuse it.',
    ...Object.entries(GROUPS).flatMap(([group, title]) => {
      const flags = FLAGGED.filter(setting => setting.group === group && !setting.legacy)
      return flags.length === 0 ? [] : [`.SS ${escaped(title)}`, ...flags.flatMap(option)]
    }),
    '.SH EXIT STATUS',
    'Zero where the work was done and nothing is wrong; one where something is wrong, differs or does not fit, or the work failed.',
    'Of verify, ranges and cni, and of ipam check, ipam status and ipam next, two says that they could not look.',
    '.SH FILES',
    ...['/var/lib/switchyard/ipam.db', '/etc/cni/net.d', '/opt/cni/bin', '/run/switchyard'].flatMap(path => [
      '.TP',
      `.I ${escaped(path)}`,
      FILES[path as keyof typeof FILES],
    ]),
    '.SH SEE ALSO',
    '.BR iptables (8),',
    '.BR nft (8),',
    '.BR ipvsadm (8)',
    '',
  ].join('\n')
}

const FILES = {
  '/var/lib/switchyard/ipam.db': 'Leases: which pod has which address, and which had it before.',
  '/etc/cni/net.d': 'Network configurations.',
  '/opt/cni/bin': 'Executables that a container runtime starts.',
  '/run/switchyard': 'Sockets of the daemon, and what the proxy remembers across a restart.',
} as const

function synopsis(verb: string, operands: readonly string[]): readonly string[] {
  return [
    `.B switchyard ${verb === 'run' ? '[run]' : escaped(verb)}`,
    escaped([...operands, '[flags]'].join(' ')),
    '.br',
  ]
}

function option(setting: FlaggedSetting): readonly string[] {
  const { flag, short, kind, help, deprecated, noEffect } = setting
  const letter = short === undefined ? '' : `-${short}, `
  const { label } = KINDS[kind]
  const value = shownDefault(setting, setting.initial)
  const notes = [
    value === '' ? '' : ` Default: ${value}.`,
    deprecated === undefined ? '' : ` Deprecated: use ${deprecated}.`,
    noEffect === undefined || help.includes(noEffect) ? '' : ` No effect: ${noEffect}.`,
  ]
  return [
    '.TP',
    `.B ${escaped(`${letter}--${flag}`)}${label === '' ? '' : ` \\fI${escaped(label)}\\fR`}`,
    text(`${help}${notes.join('')} [${verbsOf(setting).join(', ')}]`),
  ]
}

function text(plain: string): string {
  return escaped(plain).replace(/^(?=[.'])/, '\\&')
}

/** Other letters than those of ASCII stand by their numbers: which encoding a page has, programs that show it only guess. */
function escaped(plain: string): string {
  const dashed = plain.replaceAll('\\', '\\e').replaceAll('-', '\\-')
  return dashed.replace(
    /[^\x20-\x7e]/gu,
    letter => `\\[u${letter.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`,
  )
}
