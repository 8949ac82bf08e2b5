import { readFileSync } from 'node:fs'
import { arch, availableParallelism, release, totalmem } from 'node:os'
import { VERSION } from '#command-line/version.ts'
import type { NodeFacts } from './node-object.ts'

// This machine, as each node of the lab reports it.

export function machineFacts(runtimeVersion: string): Pick<NodeFacts, 'processors' | 'memoryBytes' | 'info'> {
  const [machineID, bootID] = [firstLine('/etc/machine-id'), firstLine('/proc/sys/kernel/random/boot_id')]
  return {
    processors: availableParallelism(),
    memoryBytes: totalmem(),
    info: {
      ...{ machineID, systemUUID: machineID, bootID },
      kernelVersion: release(),
      osImage: /^PRETTY_NAME="?(.+?)"?$/m.exec(textOf('/etc/os-release'))?.[1] ?? 'Linux',
      containerRuntimeVersion: runtimeVersion,
      kubeletVersion: `${VERSION}-switchyard-lab`,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: arch() === 'x64' ? 'amd64' : arch(),
    },
  }
}

function firstLine(path: string): string {
  return textOf(path).split('\n', 1)[0]!
}

/** Empty where there is none. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
