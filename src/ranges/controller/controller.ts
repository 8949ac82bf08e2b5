import type { Invocation } from '#command-line/start.ts'
import type { Settings } from '#config/settings.ts'
import { clusterRanges, type DecodedClusterRanges } from '#ipam/nodes/blocks/cluster-ranges.ts'
import { credentialsFrom } from '#kubernetes/access/credentials.ts'
import { systemClock } from '#system/clock.ts'
import { readText } from '#system/files.ts'
import { collectEarly } from '#system/heap.ts'
import { environment, hostName } from '#system/host.ts'
import { complain } from '#system/output.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { onSignals } from '#system/signals.ts'
import { serveNodeRanges } from './ranges-service.ts'

// ranges controller: the Nodes of a cluster in, their podCIDRs out, until a signal ends it.

export async function controlRanges({ settings, log }: Invocation): Promise<number> {
  const divided = dividedRanges(settings)
  if (!divided.ok) {
    for (const problem of divided.problems) complain(`Error: ${problem}`)
    return 1
  }
  collectEarly()
  const stop = new AbortController()
  const end = (): void => stop.abort()
  const signals = onSignals({ SIGTERM: end, SIGINT: end })
  try {
    for (const { range, nodeMask, excluded } of divided.ranges)
      log.info(0, 'Dividing a range among nodes', { range, nodeMask, excluded })
    const hostname = hostName()
    const { kubeconfig, master } = settings
    const credentials = await credentialsFrom({
      ...(kubeconfig !== undefined && { kubeconfig }),
      ...(master !== undefined && { master }),
      ...{ env: environment(), files: { readText }, kernel: hostKernel(), clock: systemClock },
    })
    await serveNodeRanges(
      {
        ...{ ranges: divided.ranges, settings: settings.ranges, credentials, log, hostname },
        identity: `${hostname}_${crypto.randomUUID()}`,
        ...{ clock: systemClock, random: Math.random },
      },
      stop.signal,
    )
    log.info(0, 'Stopped')
    return 0
  } finally {
    signals.off()
  }
}

export function dividedRanges({
  clusterCIDRs,
  ranges,
}: Pick<Settings, 'clusterCIDRs' | 'ranges'>): DecodedClusterRanges {
  const { nodeMask, nodeMaskOf, serviceRanges } = ranges
  return clusterRanges({ clusterCidr: clusterCIDRs.join(), nodeMask, nodeMaskOf, serviceRange: serviceRanges.join() })
}
