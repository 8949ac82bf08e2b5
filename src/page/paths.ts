import { type Address, isLoopback } from '#values/address.ts'

// Which requests are for the page. Known without loading it: it is not loaded before it is asked for.

export function isPagePath(path: string): boolean {
  return path === '/' || path.startsWith('/page/')
}

/** Where the page answers to other machines, every one that reaches the port reads it. */
export type PageChoice = 'auto' | 'on' | 'off'

export function isPageServed(choice: PageChoice, host: Address): boolean {
  return choice === 'on' || (choice === 'auto' && isLoopback(host))
}
