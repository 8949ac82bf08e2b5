// What is wrong with the database of leases, and what an operator can do. No address is given, and none is given back.

export type StoreFault = 'damaged' | 'full' | 'read-only' | 'busy' | 'gone' | 'newer' | 'unusable'

export class LeaseStoreFailed extends Error {
  override readonly name = 'LeaseStoreFailed'
  readonly fault: StoreFault
  readonly details: string

  constructor(fault: StoreFault, message: string, details: string) {
    super(message)
    this.fault = fault
    this.details = details
  }
}
