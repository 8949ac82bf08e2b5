import type { ApiObject } from './object.ts'
import { apiVersion, CORE_EVENTS, EVENTS, type Resource } from './requests/resources.ts'

// An Event of events.k8s.io ⇄ the same Event of the core group. It is stored once, in the form of the core group: what an agent
// writes to one group is what `kubectl get events` and `kubectl describe` read from the other.

/** Where the two groups have two names for one field: of the core group, of events.k8s.io. */
const NAMES = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['reportingComponent', 'reportingController'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
] as const

const CORE_NAMES: ReadonlyMap<string, string> = new Map(NAMES.map(([core, newer]) => [newer, core]))
const NEWER_NAMES: ReadonlyMap<string, string> = new Map(NAMES)

/** A stored object is never changed, only replaced: its other form stays the same object, too. */
const newerForms = new WeakMap<ApiObject, ApiObject>()

/** Whose shelf holds the objects of a resource. */
export function storedAs(resource: Resource): Resource {
  return resource === EVENTS ? CORE_EVENTS : resource
}

export function storedForm(resource: Resource, object: ApiObject): ApiObject {
  return resource === EVENTS ? renamed(object, CORE_EVENTS, CORE_NAMES) : object
}

export function servedForm(resource: Resource, stored: ApiObject): ApiObject {
  if (resource !== EVENTS) return stored
  const form = newerForms.get(stored) ?? renamed(stored, EVENTS, NEWER_NAMES)
  newerForms.set(stored, form)
  return form
}

export function servedShelf(resource: Resource, shelf: ReadonlyMap<string, ApiObject>): ReadonlyMap<string, ApiObject> {
  if (resource !== EVENTS) return shelf
  return new Map([...shelf].map(([key, stored]) => [key, servedForm(resource, stored)]))
}

function renamed(object: ApiObject, resource: Resource, names: ReadonlyMap<string, string>): ApiObject {
  const fields = Object.entries(object).map(([name, value]) => [names.get(name) ?? name, value])
  return { ...(Object.fromEntries(fields) as ApiObject), apiVersion: apiVersion(resource) }
}
