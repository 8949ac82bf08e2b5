import { HeldNamespace, NamespaceRefused } from '#system/netlink/namespace.ts'
import { refusedNamespace } from './refusal.ts'

/** The path of a network namespace → the namespace, held; fails with NetworkRefused. */
export function hold(path: string): HeldNamespace {
  try {
    return HeldNamespace.open(path)
  } catch (error) {
    if (!(error instanceof NamespaceRefused)) throw error
    throw refusedNamespace(path, error.code)
  }
}
