import { CniError, CODE } from './error.ts'
import { shownJson } from './json.ts'

// Names that a runtime gives → accepted, or the CniError that the reference's plugins answer with. Its messages do not name
// what was given: the details do.

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/
const NAME_WANTED = 'a letter or digit, then letters, digits, "_", "." and "-" are wanted'
/** IFNAMSIZ of the kernel, without the zero at the end. */
const INTERFACE_BYTES = 15

export function checkContainer(container: string): void {
  if (NAME.test(container)) return
  const details = `CNI_CONTAINERID is ${shownJson(container)}; ${NAME_WANTED}`
  throw new CniError(CODE.environment, 'invalid characters in containerID', details)
}

export function checkNetworkName(name: string): void {
  if (name === '') throw new CniError(CODE.config, 'missing network name', 'name must be there, such as "mynet"')
  if (NAME.test(name)) return
  const details = `name is ${shownJson(name)}; ${NAME_WANTED}`
  throw new CniError(CODE.config, 'invalid characters found in network name', details)
}

/** By the rules of the kernel. */
export function checkInterfaceName(ifname: string): void {
  const message = interfaceProblem(ifname)
  if (message !== undefined)
    throw new CniError(CODE.environment, message, `CNI_IFNAME is ${shownJson(ifname)}; a name such as eth0 is wanted`)
}

function interfaceProblem(ifname: string): string | undefined {
  if (ifname === '') return 'interface name is empty'
  if (Buffer.byteLength(ifname) > INTERFACE_BYTES) return 'interface name is too long'
  if (ifname === '.' || ifname === '..') return 'interface name is . or ..'
  // A zero byte would end the name early in a system call.
  if (/[/:\s\0]/.test(ifname)) return 'interface name contains / or : or whitespace characters'
  return undefined
}
