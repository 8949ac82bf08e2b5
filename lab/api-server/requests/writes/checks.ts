import type { ApiObject } from '#lab/api-server/store.ts'
import { Refused } from '../answers.ts'
import { type FieldProblem, invalid } from '../refusals.ts'
import { apiVersion, type Resource, type Target } from '../resources.ts'

// A body → an object of the resource the path names, with a name and ports that Kubernetes takes; or a refusal.

/** The body, shown to be an object of this resource in this namespace. */
export function checkedObject({ resource, namespace }: Target, body: unknown): ApiObject {
  const sent = body as Partial<ApiObject> | null | undefined
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent))
    throw new Refused(400, 'the body is not an object')
  if (
    (sent.kind ?? resource.kind) !== resource.kind ||
    (sent.apiVersion ?? apiVersion(resource)) !== apiVersion(resource)
  ) {
    const wanted = `${apiVersion(resource)}, Kind=${resource.kind}`
    throw new Refused(400, `${sent.apiVersion}, Kind=${sent.kind} does not match the expected ${wanted}`)
  }
  const metadata = sent.metadata ?? {}
  if (typeof metadata !== 'object' || Array.isArray(metadata)) throw new Refused(400, 'metadata is not an object')
  if (!resource.namespaced) return { ...sent, metadata }
  if (namespace === undefined) throw new Refused(405, 'the namespace must be in the URL')
  if ((metadata.namespace ?? namespace) !== namespace) {
    throw new Refused(400, `the namespace of the provided object does not match the namespace sent on the request`)
  }
  return { ...sent, metadata: { ...metadata, namespace } }
}

/** Server-side apply reads the fields by version and kind, so the body must name both. */
export function checkIdentified({ apiVersion: version, kind }: ApiObject, resource: Resource): void {
  if (kind === undefined) throw new Refused(400, "Object 'Kind' is missing in the apply patch")
  if (version !== undefined) return
  const wrong = `Specified patch version: , expected: ${apiVersion(resource)}`
  throw new Refused(400, `Incorrect version specified in apply patch. ${wrong}`)
}

/** A PUT or PATCH cannot rename. */
export function checkSameName({ name = '' }: Target, { metadata }: ApiObject): void {
  if ((metadata.name ?? name) === name) return
  throw new Refused(400, `the name of the object (${metadata.name}) does not match the name on the URL (${name})`)
}

const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

export function checkName(resource: Resource, name: unknown): void {
  const field = 'metadata.name'
  if (name === undefined || name === '') {
    const message = 'Required value: name or generateName is required'
    throw invalid(resource, '', [{ reason: 'FieldValueRequired', field, message }])
  }
  const pattern = resource.kind === 'Namespace' ? LABEL : NAME
  if (typeof name === 'string' && pattern.test(name)) return
  const message = `Invalid value: ${JSON.stringify(name)}`
  throw invalid(resource, String(name), [{ reason: 'FieldValueInvalid', field, message }])
}

/** Of a Service, after defaults. The real server does not check port numbers of an EndpointSlice: 0 is stored there. */
export function checkPorts(resource: Resource, { metadata, spec }: ApiObject): void {
  if (resource.kind !== 'Service') return
  const { ports } = (spec ?? {}) as { readonly ports?: unknown }
  const problems = (Array.isArray(ports) ? ports : []).flatMap(portProblems)
  if (problems.length > 0) throw invalid(resource, metadata.name ?? '', problems)
}

function portProblems(item: unknown, at: number): readonly FieldProblem[] {
  const { port = 0, targetPort } = (item ?? {}) as { readonly port?: unknown; readonly targetPort?: unknown }
  if (typeof port !== 'number' || !Number.isInteger(port)) {
    const wrong = `json: cannot unmarshal ${typeof port} into Go struct field ServicePort.spec.ports.port of type int32`
    throw new Refused(400, `Service in version "v1" cannot be handled as a Service: ${wrong}`)
  }
  // Without a targetPort, the port is that, too: the real server complains of both.
  const target = targetPort === undefined || targetPort === 0 ? port : targetPort
  return [...range(`spec.ports[${at}].port`, port), ...range(`spec.ports[${at}].targetPort`, target)]
}

/** A name is no number, and may be anything here. */
function range(field: string, port: unknown): readonly FieldProblem[] {
  if (typeof port !== 'number' || (port >= 1 && port <= 65_535)) return []
  const message = `Invalid value: ${port}: must be between 1 and 65535, inclusive`
  return [{ reason: 'FieldValueInvalid', field, message }]
}
