import { formatDuration } from '#values/duration.ts'
import { parsePortRange } from '#values/port-range.ts'
import type { Choices } from './choices.ts'
import { wrong } from './problem.ts'

// Choices for the controller of node ranges, for the table and the plan → what is wrong with them. How masks go with ranges is judged where a range is
// divided.

type Problems = readonly string[]

const DURATIONS = ['--leader-elect-lease-duration', '--leader-elect-renew-deadline', '--leader-elect-retry-period']
const [LEASE, RENEW, RETRY] = DURATIONS as [string, string, string]
/** A name of Kubernetes: labels with dots between. */
const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/
/** The Lease counts in whole seconds. */
const LEAST_LEASE_MS = 1000

export function ranges(choices: Choices): Problems {
  return [
    ...(choices.isOn('--allocate-node-cidrs')
      ? []
      : [wrong(choices, '--allocate-node-cidrs', 'the controller does nothing else; must be true, or left out')]),
    ...(choices.number('--node-cidr-cooldown') < 0
      ? [
          wrong(
            choices,
            '--node-cidr-cooldown',
            'must be greater than or equal to 0',
            shown(choices, '--node-cidr-cooldown'),
          ),
        ]
      : []),
    ...(isPortRange(choices.text(PORTS))
      ? []
      : [wrong(choices, PORTS, 'must be a range of ports, such as 30000-32767')]),
    ...(choices.number('--max-pods') > 0 ? [] : [wrong(choices, '--max-pods', 'must be greater than 0')]),
    ...leader(choices),
  ]
}

const PORTS = '--service-node-port-range'

function isPortRange(text: string): boolean {
  const range = parsePortRange(text)
  return range !== undefined && range !== 'any'
}

function leader(choices: Choices): Problems {
  const lock = '--leader-elect-resource-lock'
  const [name, namespace] = ['--leader-elect-resource-name', '--leader-elect-resource-namespace']
  return [
    ...durations(choices),
    ...(choices.text(lock) === 'leases' ? [] : [wrong(choices, lock, 'must be leases')]),
    ...(NAME.test(choices.text(name)) && choices.text(name).length <= 253
      ? []
      : [wrong(choices, name, 'must be the name of a Lease, such as switchyard-ranges')]),
    ...(NAMESPACE.test(choices.text(namespace))
      ? []
      : [wrong(choices, namespace, 'must be the name of a namespace, such as kube-system')]),
  ]
}

function durations(choices: Choices): Problems {
  const zero = DURATIONS.filter(key => choices.number(key) <= 0)
  if (zero.length > 0) return zero.map(key => wrong(choices, key, 'must be greater than 0', shown(choices, key)))
  const less = (key: string, other: string): Problems =>
    choices.number(key) < choices.number(other)
      ? []
      : [
          wrong(
            choices,
            key,
            `must be less than ${choices.named(other)}, ${shown(choices, other)}`,
            shown(choices, key),
          ),
        ]
  const short = choices.number(LEASE) < LEAST_LEASE_MS
  return [
    ...(short ? [wrong(choices, LEASE, 'must be at least 1s', shown(choices, LEASE))] : []),
    ...less(RENEW, LEASE),
    ...less(RETRY, RENEW),
  ]
}

function shown(choices: Choices, key: string): string {
  return formatDuration(choices.number(key))
}
