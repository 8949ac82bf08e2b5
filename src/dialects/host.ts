import type { Command } from '#system/ports.ts'

// What is asked of the host besides its rules, addresses and settings.

/** `6.1.0-18-amd64` */
export const KERNEL_RELEASE: Command = { does: 'other', argv: ['uname', '-r'] }

/** Ends with 0 where the module is loaded, now or before. */
export function loadModule(name: string): Command {
  return { does: 'write', argv: ['modprobe', name] }
}
