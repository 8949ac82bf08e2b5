import { credentialsFrom } from '#kubernetes/access/credentials.ts'
import { ApiTransport, type Sent } from '#kubernetes/transport.ts'
import { systemClock } from '#system/clock.ts'
import { readText } from '#system/files.ts'
import { complain, print } from '#system/output.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { type Table, tableText } from './table-text.ts'

// api VERB PATH [JSON]: what a person without kubectl asks the API server of $KUBECONFIG. Lists are shown as the tables that the
// server makes, what was written as its name.

const METHODS: Readonly<Record<string, Sent['method']>> = { get: 'GET', post: 'POST', patch: 'PATCH', delete: 'DELETE' }
const TYPES: Readonly<Record<string, string>> = { post: 'application/json', patch: 'application/merge-patch+json' }
const DONE: Readonly<Record<string, string>> = { post: 'created', patch: 'changed', delete: 'deleted' }
const AS_TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'

interface Shown {
  readonly kind?: string
  readonly message?: string
  readonly metadata?: { readonly name?: string }
}

process.exitCode = await main(process.argv.slice(2))

async function main([verb = '', path = '', body]: readonly string[]): Promise<number> {
  const method = METHODS[verb]
  if (method === undefined || !path.startsWith('/')) {
    complain(`Usage: api ${Object.keys(METHODS).join('|')} /PATH [JSON]`)
    return 2
  }
  const access = { env: process.env, files: { readText }, kernel: hostKernel(), clock: systemClock }
  const kubeconfig = process.env.KUBECONFIG
  const credentials = await credentialsFrom({ ...access, ...(kubeconfig !== undefined && { kubeconfig }) })
  const transport = new ApiTransport({ credentials, userAgent: 'api' })
  try {
    const headers = verb === 'get' ? { accept: AS_TABLE } : { 'content-type': TYPES[verb] ?? 'application/json' }
    const signal = new AbortController().signal
    const answer = await transport.send({ method, path, headers, signal, ...(body !== undefined && { body }) })
    return show((await answer.body.json()) as Shown, answer.status, verb)
  } finally {
    await transport.close()
  }
}

function show(object: Shown, status: number, verb: string): number {
  if (status >= 400) {
    complain(object.message ?? `the API server answered ${status}`)
    return 1
  }
  if (object.kind === 'Table') print(tableText(object as Table))
  else if (verb === 'get') print(JSON.stringify(object, undefined, 2))
  else print(`${object.kind ?? ''} ${object.metadata?.name ?? ''}: ${DONE[verb]}`)
  return 0
}
