import { isDeepStrictEqual } from 'node:util'
import { keyOf } from '#lab/client/cluster-client.ts'
import type { ApiObject, Pod } from '#lab/client/objects.ts'
import type { Decision, Look, Note, Write } from '#lab/controllers/loop/controller.ts'

// A cluster on paper: decisions change it at once, as an API server would, and every one sees it as it is.

export class PaperCluster implements Look {
  now = Date.parse('2026-03-01T12:00:00Z')
  readonly notes: string[] = []
  readonly #objects = new Map<string, ApiObject>()
  #serial = 0

  put<T extends ApiObject>(object: T): T {
    const { kind = '', metadata } = object
    const { name = `${metadata.generateName}${(++this.#serial).toString(36).padStart(5, '0')}` } = metadata
    const key = `${kind} ${keyOf({ metadata: { ...metadata, name } })}`
    const before = this.#objects.get(key)
    const isSame = before !== undefined && isDeepStrictEqual(specOf(before), specOf(object))
    const generation = (before?.metadata.generation ?? 0) + (isSame ? 0 : 1)
    const birth = before?.metadata ?? { uid: `uid-${++this.#serial}`, creationTimestamp: this.time() }
    const { uid, creationTimestamp } = birth
    const stamps = { uid, creationTimestamp, generation, resourceVersion: String(++this.#serial) }
    const stored = { ...object, metadata: { ...metadata, name, ...stamps } } as T
    this.#objects.set(key, stored)
    return stored
  }

  remove(object: ApiObject): void {
    this.#objects.delete(`${object.kind} ${keyOf(object)}`)
  }

  *all<T extends ApiObject>(kind: string): Iterable<T> {
    for (const object of [...this.#objects.values()]) if (object.kind === kind) yield object as T
  }

  one<T extends ApiObject>(kind: string, key: string): T | undefined {
    return this.#objects.get(`${kind} ${key}`) as T | undefined
  }

  list<T extends ApiObject>(kind: string): readonly T[] {
    return [...this.all<T>(kind)]
  }

  /** Now, as Kubernetes writes it. */
  time(): string {
    return new Date(this.now).toISOString().replace(/\.\d+Z$/, 'Z')
  }

  /** Whether anything was written. */
  apply({ writes }: Decision): boolean {
    for (const write of writes) this.#write(write)
    return writes.length > 0
  }

  #write(write: Write): void {
    switch (write.do) {
      case 'create': {
        const made = this.put(write.object)
        this.#note(write.note?.(made))
        return
      }
      case 'replace': {
        const before = this.one(write.object.kind ?? '', keyOf(write.object))
        if (before?.metadata.resourceVersion !== write.object.metadata.resourceVersion) return
        const { status } = write.object as ApiObject & { readonly status?: unknown }
        this.put(write.subresource === 'status' ? ({ ...before, status } as ApiObject) : write.object)
        this.#note(write.note)
        return
      }
      case 'patch': {
        const before = this.one(write.kind, keyOf({ metadata: write.key }))
        if (before !== undefined) this.put(merged(before, write.patch) as ApiObject)
        this.#note(write.note)
        return
      }
      case 'delete':
        this.#delete(write.object)
        this.#note(write.note)
        return
      case 'bind': {
        const pod = this.one<Pod>('Pod', keyOf(write.pod))
        if (pod !== undefined) this.put<Pod>({ ...pod, spec: { ...pod.spec!, nodeName: write.node } })
        this.#note(write.note)
        return
      }
      case 'note':
        this.#note(write.note)
        return
    }
  }

  /** A pod on a node ends when its kubelet says so; all else goes at once. */
  #delete(object: ApiObject): void {
    const now = this.one(object.kind ?? '', keyOf(object))
    if (now?.metadata.uid !== object.metadata.uid) return
    const isOnNode = object.kind === 'Pod' && (now as Pod).spec?.nodeName !== undefined
    if (isOnNode) this.put({ ...now!, metadata: { ...now!.metadata, deletionTimestamp: this.time() } })
    else this.remove(object)
  }

  #note(note: Note | undefined): void {
    if (note !== undefined) this.notes.push(`${note.reason}: ${note.message}`)
  }
}

function specOf(object: ApiObject): unknown {
  return (object as ApiObject & { readonly spec?: unknown }).spec
}

function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const next: Record<string, unknown> = { ...(target as object) }
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete next[name]
    else if (value !== undefined) next[name] = merged(next[name], value)
  }
  return next
}

export function podOf(name: string, more: Partial<Pod> = {}): Pod {
  const { metadata, ...rest } = more
  const spec = { containers: [{ name: 'main', image: 'web' }] }
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'default', name, ...metadata }, spec, ...rest }
}

/** A pod that runs there and is ready, or not. */
export function runningOn(node: string, ip: string, ready: 'True' | 'False' = 'True'): Pick<Pod, 'spec' | 'status'> {
  const conditions = [{ type: 'Ready', status: ready, lastTransitionTime: '2026-03-01T11:00:00Z' }]
  return {
    spec: { nodeName: node, containers: [{ name: 'main', image: 'web' }] },
    status: { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions },
  }
}
