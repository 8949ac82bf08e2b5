import { unreadable } from '#kubernetes/access/problem.ts'
import { documents, type InputText, writtenObjects } from '#kubernetes/sources/files.ts'
import { readStandardInput, readText } from '#system/files.ts'
import type { Log } from '#telemetry/log/klog.ts'
import { clusterOf, type Gathered, podsOf } from './objects.ts'
import type { ClusterView, PlacedPod } from './view.ts'

// The files of a command line → their objects.

export async function gatherFiles(
  paths: readonly string[],
  nodeName: string,
  log: Log,
): Promise<Gathered & Pick<ClusterView, 'pods'>> {
  const texts = await Promise.all(paths.map(async path => ({ name: fileName(path), text: await readDocument(path) })))
  return { ...clusterOf(documents(texts), nodeName, log), pods: async () => podsIn(texts) }
}

/** A file without pods says nothing of pods. */
function podsIn(texts: readonly InputText[]): readonly PlacedPod[] | undefined {
  if (!texts.some(({ text }) => text.includes('Pod'))) return undefined
  const pods = writtenObjects(texts).filter(({ kind }) => kind === 'Pod')
  return pods.length === 0 ? undefined : podsOf(pods.map(({ raw }) => raw))
}

const STANDARD_INPUT = '-'

/** As messages have it. */
function fileName(path: string): string {
  return path === STANDARD_INPUT ? 'standard input' : path
}

async function readDocument(path: string): Promise<string> {
  try {
    return await (path === STANDARD_INPUT ? readStandardInput() : readText(path))
  } catch (error) {
    throw new Error(`--filename (-f): cannot read ${fileName(path)}: ${unreadable(error)}`)
  }
}
