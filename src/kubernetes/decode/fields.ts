import type { KubernetesObject } from '@kubernetes/client-node'

// JSON of an API object → its fields, with the names that Kubernetes' own types give them and values that are still to
// be proven.

declare const CLAIM: unique symbol

/** A value that should be a T. Until fieldsOf or itemsOf has looked at it, it may be anything. */
export interface Unproven<T> {
  readonly [CLAIM]?: T
}

/**
 * The fields of a T: a name that T does not have is a compile error. Texts and numbers are unknown until they are
 * checked.
 */
export type FieldsOf<T> = { readonly [Name in keyof T]?: Field<T[Name]> }

/**
 * Objects and lists can only be read through fieldsOf and itemsOf, so that the names below them are checked as well.
 */
export type Field<V> =
  NonNullable<V> extends Date ? unknown : NonNullable<V> extends object ? Unproven<NonNullable<V>> : unknown

/** An object that a document or a list of them may hold. */
export type AnyObject = KubernetesObject & { readonly items?: readonly KubernetesObject[] }

/** Where parsed JSON comes in: says what it should be, and proves nothing. */
export function unproven<T>(json: unknown): Unproven<T> {
  return json as Unproven<T>
}

/** The fields of an object; none where there is no object. */
export function fieldsOf<T>(value: Unproven<T> | undefined): FieldsOf<T> {
  return isObject(value) ? (value as FieldsOf<T>) : (NO_FIELDS as FieldsOf<T>)
}

/** The items of a list; nothing where there is no list. */
export function listOf<T>(value: Unproven<readonly T[]> | undefined): readonly Field<T>[] | undefined {
  return Array.isArray(value) ? value : undefined
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const NO_FIELDS = Object.freeze({})
