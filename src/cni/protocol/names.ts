import { CniError, CODE } from './error.ts'

// Names that a runtime gives → accepted, or the CniError that the reference's plugins answer with.

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/
/** IFNAMSIZ of the kernel, without the zero at the end. */
const INTERFACE_BYTES = 15

export function checkContainer(container: string): void {
  if (!NAME.test(container)) throw new CniError(CODE.environment, 'invalid characters in containerID', container)
}

export function checkNetworkName(name: string): void {
  if (name === '') throw new CniError(CODE.config, 'missing network name')
  if (!NAME.test(name)) throw new CniError(CODE.config, 'invalid characters found in network name', name)
}

/** By the rules of the kernel. The details name what was given: the messages are those of the reference, and do not. */
export function checkInterfaceName(ifname: string): void {
  const message = interfaceProblem(ifname)
  if (message !== undefined)
    throw new CniError(
      CODE.environment,
      message,
      `CNI_IFNAME is ${JSON.stringify(ifname)}; a name such as eth0 is wanted`,
    )
}

function interfaceProblem(ifname: string): string | undefined {
  if (ifname === '') return 'interface name is empty'
  if (Buffer.byteLength(ifname) > INTERFACE_BYTES) return 'interface name is too long'
  if (ifname === '.' || ifname === '..') return 'interface name is . or ..'
  // A zero byte would end the name early in a system call.
  if (/[/:\s\0]/.test(ifname)) return 'interface name contains / or : or whitespace characters'
  return undefined
}
