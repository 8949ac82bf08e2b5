import { namespacePath } from '#lab/network/namespaces.ts'
import type { Command } from '#system/ports.ts'

// A command → the words that start it in a pod: in its network namespace, under its host name, with its own name servers. It
// replaces them all, so it is one process; it ends with the kubelet, also where that is killed.

export interface PodWords {
  readonly netns: string
  readonly hostname: string
  /** Takes the place of /etc/resolv.conf. */
  readonly resolver: string
  readonly command: readonly string[]
}

const ENTER = [
  'echo "$1" >/proc/sys/kernel/hostname',
  'if [ -e /etc/resolv.conf ]; then mount --bind "$2" /etc/resolv.conf; fi',
  'mount -t sysfs sysfs /sys 2>/dev/null',
  'shift 2',
  'exec "$@"',
].join('\n')

export function podWords({ netns, hostname, resolver, command }: PodWords): Command['argv'] {
  const enter = ['nsenter', `--net=${namespacePath(netns)}`, 'unshare', '--mount', '--uts'] as const
  return [
    'setpriv',
    '--pdeathsig',
    'KILL',
    '--',
    ...enter,
    '--',
    'sh',
    '-c',
    ENTER,
    'sh',
    hostname,
    resolver,
    ...command,
  ]
}
