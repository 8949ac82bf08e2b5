import type { ClusterClient } from '#lab/client/cluster-client.ts'
import type { ApiObject } from '#lab/client/objects.ts'
import { ApiRefused } from '#lab/client/refused.ts'

// An API that keeps what is written to it in a list, and answers as a test says.

export interface Write {
  readonly verb: 'create' | 'patch'
  readonly kind: string
  readonly name: string
  readonly body: ApiObject & Readonly<Record<string, unknown>>
}

export class PaperApi {
  readonly writes: Write[] = []
  /** By kind and name. */
  readonly objects = new Map<string, ApiObject>()
  /** Errors of the next writes, one each. */
  readonly failures: Error[] = []
  /** While set, writes wait for it. */
  gate: Promise<void> | undefined

  get client(): ClusterClient {
    const api: Pick<ClusterClient, 'get' | 'create' | 'patch'> = {
      get: async <T extends ApiObject>(kind: string, { name }: { readonly name: string }) =>
        this.objects.get(`${kind} ${name}`) as T | undefined,
      create: async <T extends ApiObject>(object: T) => {
        const { kind = '', metadata } = object
        const failure = this.failures.shift()
        if (failure !== undefined) throw failure
        this.objects.set(`${kind} ${metadata.name}`, object)
        this.writes.push({ verb: 'create', kind, name: metadata.name!, body: object as unknown as Write['body'] })
        return object
      },
      patch: async <T extends ApiObject>(kind: string, { name }: { readonly name: string }, body: object) => {
        await this.gate
        const failure = this.failures.shift()
        if (failure !== undefined) throw failure
        const before = this.objects.get(`${kind} ${name}`)
        if (kind !== 'Pod' && before === undefined) throw absent(kind, name)
        if (before !== undefined) this.objects.set(`${kind} ${name}`, { ...before, ...body, metadata: before.metadata })
        this.writes.push({ verb: 'patch', kind, name, body: body as Write['body'] })
        return body as T
      },
    }
    return api as ClusterClient
  }
}

export function absent(kind: string, name: string): ApiRefused {
  return new ApiRefused({ code: 404, reason: 'NotFound', message: `${kind} "${name}" not found` })
}
