import type { ApiObject } from './object.ts'

// An object → its JSON text, written once for each state of it: lists, watches and the database share it.

const texts = new WeakMap<ApiObject, string>()

/** Without kind and apiVersion, as items of a list are with the real server. */
export function itemText(object: ApiObject): string {
  let text = texts.get(object)
  if (text === undefined) {
    const { kind: _kind, apiVersion: _version, ...rest } = object
    text = JSON.stringify(rest)
    texts.set(object, text)
  }
  return text
}

/** As watches and single reads send it. */
export function objectText(object: ApiObject): string {
  const { kind, apiVersion } = object
  return `${JSON.stringify({ kind, apiVersion }).slice(0, -1)},${itemText(object).slice(1)}`
}
