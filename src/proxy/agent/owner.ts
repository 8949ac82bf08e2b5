import type { ObjectName } from '#values/names.ts'

/** The Service of an owner of rules: `shop/cart:http/tcp` → `shop/cart`. */
export function serviceOf(owner: string): ObjectName {
  return /^[^/]+\/[^:/]+/.exec(owner)![0] as ObjectName
}
