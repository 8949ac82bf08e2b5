import type { ApiObject } from '#lab/api-server/store.ts'
import { parseAddress } from '#values/address.ts'
import { Refused } from '../../answers.ts'
import { type FieldProblem, invalid } from '../../refusals.ts'
import { apiVersion, IP_ADDRESSES, type Resource, type Target } from '../../resources.ts'
import { fieldsOf } from '../defaults/values.ts'
import { metadataProblems } from './metadata.ts'
import { EARLY_LABEL_NAME, LABEL_NAME, problemOfName, SUBDOMAIN_NAME } from './names.ts'
import { nodeProblems, podCIDRProblems } from './nodes.ts'
import { podProblems } from './pods.ts'
import { required, wrong } from './problems.ts'
import { ingressProblems, serviceProblems } from './services.ts'
import { sliceProblems } from './slices.ts'
import { configMapProblems, eventProblems, leaseProblems } from './small-kinds.ts'
import { workloadProblems } from './workloads.ts'

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

/** A PUT says the whole object, and so its name, too. */
export function checkNamed({ name = '' }: Target, { metadata }: ApiObject): void {
  if (metadata.name) return
  throw new Refused(400, `the name of the object (${name} based on URL) was undeterminable: name must be provided`)
}

/** A Lease is taken over on the word of its version alone: a PUT without one would take it from the holder that has renewed it meanwhile. */
export function checkVersioned(resource: Resource, { metadata }: ApiObject, name: string): void {
  if (resource.kind !== 'Lease' || metadata.resourceVersion) return
  const message = 'Invalid value: 0x0: must be specified for an update'
  throw invalid({ ...resource, kind: resource.plural }, name, [
    { reason: 'FieldValueInvalid', field: 'metadata.resourceVersion', message },
  ])
}

export function checkName(resource: Resource, name: unknown): void {
  const field = 'metadata.name'
  if (name === undefined || name === '') {
    throw invalid(resource, '', [required(field, 'name or generateName is required')])
  }
  const text = String(name)
  const problem = resource === IP_ADDRESSES ? problemOfAddress(text) : problemOfName(text, formOf(resource))
  if (problem !== undefined) throw invalid(resource, text, [wrong(field, text, problem)])
}

function problemOfAddress(name: string): string | undefined {
  return parseAddress(name) === name ? undefined : 'must be a valid IP address in canonical form'
}

function formOf({ kind }: Resource): typeof LABEL_NAME {
  if (kind === 'Service') return EARLY_LABEL_NAME
  return kind === 'Namespace' ? LABEL_NAME : SUBDOMAIN_NAME
}

/** What kube-apiserver looks at of the kinds that people write most, after defaults. */
export function checkSpec(resource: Resource, object: ApiObject, before: ApiObject | undefined): void {
  const problems = [...metadataProblems(object, before), ...(SPEC_PROBLEMS[resource.kind]?.(object, before) ?? [])]
  if (problems.length > 0) throw invalid(resource, object.metadata.name ?? '', problems)
}

const SPEC_PROBLEMS: Readonly<
  Record<string, (object: ApiObject, before: ApiObject | undefined) => readonly FieldProblem[]>
> = {
  ConfigMap: configMapProblems,
  Deployment: workloadProblems,
  EndpointSlice: sliceProblems,
  Event: eventProblems,
  Lease: leaseProblems,
  Node: nodeProblems,
  Pod: podProblems,
  ReplicaSet: workloadProblems,
  Service: serviceProblems,
}

/** What is looked at of a write to /status. */
export function checkStatus(resource: Resource, { metadata, status }: ApiObject): void {
  const problems = resource.kind === 'Service' ? ingressProblems(fieldsOf(status)) : []
  if (problems.length > 0) throw invalid(resource, metadata.name ?? '', problems)
}

/** Of a Node: podCIDRs that are set stay as they are. */
export function checkPodCIDRs(resource: Resource, object: ApiObject, before: ApiObject | undefined): void {
  const problems = resource.kind === 'Node' ? podCIDRProblems(object, before) : []
  if (problems.length > 0) throw invalid(resource, object.metadata.name ?? '', problems)
}
