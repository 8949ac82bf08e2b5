import { Session } from 'node:inspector/promises'

// A span of time → a profile of this process, as V8 takes it: JSON that the developer tools of a browser open.

/** Where the time goes; what is allocated and stays; what is allocated at all. */
export type ProfileKind = 'cpu' | 'heap' | 'allocations'

const SAMPLERS: Readonly<Record<ProfileKind, (session: Session, span: () => Promise<void>) => Promise<object>>> = {
  cpu: async (session, span) => {
    await session.post('Profiler.enable')
    await session.post('Profiler.start')
    await span()
    return (await session.post('Profiler.stop')).profile
  },
  heap: (session, span) => sampledHeap(session, span),
  allocations: (session, span) =>
    sampledHeap(session, span, {
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    }),
}

/** The program goes on meanwhile, a little slower. Of its threads, the main one is looked at. */
export async function takeProfile(kind: ProfileKind, span: () => Promise<void>): Promise<string> {
  const session = new Session()
  session.connect()
  try {
    return JSON.stringify(await SAMPLERS[kind](session, span))
  } finally {
    // Ends what was begun, too.
    session.disconnect()
  }
}

async function sampledHeap(session: Session, span: () => Promise<void>, options: object = {}): Promise<object> {
  await session.post('HeapProfiler.startSampling', options)
  await span()
  return (await session.post('HeapProfiler.stopSampling')).profile
}
