import { answeredBy } from './answered-by.ts'
import { rulesOf } from './rules.ts'
import type { TourParts } from './tour-parts.ts'

// The second half of the tour: objects and rules change, and what follows is shown with the time it took.

const REPLICAS = 4

export async function showChanges({ guide, words, mode, arrived, cluster }: TourParts): Promise<void> {
  const { endpointsOfWeb, breakAll } = rulesOf(mode, { ...arrived, node: cluster.nodes[0]!.ip4 })
  await guide.show({
    say: 'More pods, and the rules follow once they are ready.',
    command: words.scale('web', REPLICAS),
  })
  const { tookMs } = await guide.show({ command: endpointsOfWeb, until: stdout => Number(stdout.trim()) >= REPLICAS })
  guide.say(`That took ${seconds(tookMs)}.`)
  await guide.show({ say: 'Rules that are deleted by hand come back.', command: breakAll })
  const ask = `outside ask ${arrived.clusterIP} 3306`
  const repaired = await guide.show({ command: ask, until: answer => answer.startsWith('db-') })
  guide.say(`It answered after ${seconds(repaired.tookMs)}.`)
  await guide.show({
    say: 'A pod is killed, and another one takes its place.',
    command: words.deletePod(arrived.web[0]!),
  })
  await guide.quietly({ command: words.pods, until: stdout => runningWeb(stdout, arrived.web[0]!) >= REPLICAS })
  await guide.show({ command: words.pods })
  await guide.show({ command: `outside ask ${cluster.nodes.at(-1)!.ip4} ${arrived.nodePort}`, ...answeredBy('web') })
}

function runningWeb(table: string, except: string): number {
  return table
    .split('\n')
    .filter(line => line.startsWith('web-') && line.includes('Running') && !line.startsWith(except)).length
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
