// Codes of errors that the specification leaves to a plugin, from 100 on.

/** An address that was asked for is held, or the container holds one already. */
export const ADDRESS_HELD = 100
/** CHECK: an address that the ADD returned is not leased to the container. */
export const LEASE_MISSING = 101
