import { type ClusterClient, keyOf } from '#lab/client/cluster-client.ts'
import type { ApiObject } from '#lab/client/objects.ts'
import { isAbsent } from '#lab/client/refused.ts'
import type { Note, Write } from './controller.ts'
import type { Expectation } from './outstanding.ts'

// Writes of a decision → the API server, and what the watches will show of each.

export interface WriterParts {
  readonly client: ClusterClient
  /** Called with the Event of each write that was made. */
  readonly record: (note: Note) => void
}

export interface Written {
  readonly expectations: readonly Expectation[]
  /** Of the first write that failed; the others were made all the same. */
  readonly error?: unknown
}

/** So many at once: the API server answers other clients meanwhile. */
const AT_ONCE = 16

export async function written({ client, record }: WriterParts, writes: readonly Write[]): Promise<Written> {
  const expectations: Expectation[] = []
  const errors: unknown[] = []
  const left = writes.values()
  const lane = async () => {
    for (const write of left) {
      try {
        const expectation = await writeOne(client, write, record)
        if (expectation !== undefined) expectations.push(expectation)
      } catch (error) {
        errors.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, writes.length) }, lane))
  return { expectations, ...(errors.length > 0 && { error: errors[0] }) }
}

async function writeOne(
  client: ClusterClient,
  write: Write,
  record: (note: Note) => void,
): Promise<Expectation | undefined> {
  if (write.do === 'create') {
    const made = await client.create(write.object)
    if (write.note !== undefined) record(write.note(made))
    return shown(made)
  }
  const expectation = await changed(client, write)
  if (write.note !== undefined) record(write.note)
  return expectation
}

async function changed(
  client: ClusterClient,
  write: Exclude<Write, { readonly do: 'create' }>,
): Promise<Expectation | undefined> {
  switch (write.do) {
    // What is gone needs no change.
    case 'replace': {
      const made = await client.replace(write.object, write.subresource).catch(unlessAbsent)
      return made && shown(made)
    }
    case 'patch': {
      const { kind, key, patch, subresource } = write
      const made = await client.patch(kind, key, patch, subresource).catch(unlessAbsent)
      return made && shown(made)
    }
    case 'delete': {
      const { kind = '', metadata } = write.object
      const { namespace, name = '', uid } = metadata
      const key = { name, ...(namespace !== undefined && { namespace }) }
      await client.delete(kind, key, { ...write.options, ...(uid !== undefined && { uid }) })
      return { kind, key: keyOf(write.object), until: 'ending', uid }
    }
    case 'bind': {
      const { namespace, name = '', uid } = write.pod.metadata
      const key = { name, ...(namespace !== undefined && { namespace }) }
      const target = { apiVersion: 'v1', kind: 'Node', name: write.node }
      const metadata = { ...key, ...(uid !== undefined && { uid }) }
      await client.post('Pod', key, 'binding', { apiVersion: 'v1', kind: 'Binding', metadata, target } as ApiObject)
      return undefined
    }
    case 'note':
      return undefined
  }
}

function shown(made: ApiObject): Expectation {
  const { kind = '', metadata } = made
  return { kind, key: keyOf(made), until: 'version', version: metadata.resourceVersion ?? '' }
}

function unlessAbsent(error: unknown): undefined {
  if (!isAbsent(error)) throw error
  return undefined
}
