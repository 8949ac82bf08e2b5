import { natRange, network } from './addresses.ts'
import { probability } from './numbers.ts'

// A line → whether it is canonical already, for the shapes a service proxy writes a hundred thousand times.
// A line it does not recognise may still be canonical; a line it does recognise surely is.

const IPV4 = String.raw`\d{1,3}(?:\.\d{1,3}){3}`
const IPV6 = String.raw`[\da-f]*:[\da-f:.]*`
const NAME = String.raw`[\w.:][\w.:-]*`

const SHAPE = new RegExp(
  [
    `-A ${NAME}`,
    // A single IPv4 address needs no further look; a network or an IPv6 address does: groups 1 and 2.
    `(?:(?: !)? -s (?:${IPV4}/32|(${IPV4}/\\d+|${IPV6}/\\d+)))?`,
    `(?:(?: !)? -d (?:${IPV4}/32|(${IPV4}/\\d+|${IPV6}/\\d+)))?`,
    '(?: -p (?:tcp|udp|sctp))?',
    // Quotes are canonical only around a character that needs them.
    String.raw`(?: -m comment --comment (?:[\w-]+|"[\w-]*[^\w"'\\\n-][^"'\\\n]*"))?`,
    '(?: -m addrtype --(?:src|dst)-type LOCAL)?',
    String.raw`(?: -m recent --(?:set|rcheck --seconds [1-9]\d* --reap) --name ${NAME} --mask (?:255(?:\.255){3}|ffff(?::ffff){7}) --rsource)?`,
    String.raw`(?: -m statistic --mode random --probability (\d\.\d{11}))?`,
    String.raw`(?: -m (?:tcp|udp|sctp)(?: --dport \d{1,5})?)?`,
    // No target of the tool has a "-" in its name, so these are chains.
    String.raw`(?: -j (?:[\w.]+-[\w.-]+|ACCEPT|DROP|RETURN|DNAT --to-destination (?:${IPV4}:\d{1,5}|(\[[\da-f:.]+\]:\d{1,5}))))?`,
    String.raw`(?=\n|$)`,
  ].join(''),
  'y',
)

/** Whether the line from `start` on, up to the end of the line, is canonical in one of the frequent shapes. */
export function isPlainlyCanonical(text: string, start: number): boolean {
  SHAPE.lastIndex = start
  const match = SHAPE.exec(text)
  if (match === null) return false
  const [, source, destination, odds, target] = match
  return (
    (source === undefined || isNetwork(source)) &&
    (destination === undefined || isNetwork(destination)) &&
    (odds === undefined || isProbability(odds)) &&
    (target === undefined || isIPv6Target(target))
  )
}

function isNetwork(text: string): boolean {
  return text.endsWith('/128') ? isIPv6(text.slice(0, -4)) || network(text) === text : isRange(text)
}

function isIPv6Target(text: string): boolean {
  return isIPv6(text.slice(1, text.indexOf(']'))) || natRange(text) === text
}

const GROUP = '[1-9a-f][\\da-f]{0,3}'
const ONE_GAP = new RegExp(`^${GROUP}(?::${GROUP})*::${GROUP}(?::${GROUP})*$`)

/** Surely canonical: groups that are not 0, and one gap for at least two that are. */
function isIPv6(text: string): boolean {
  return ONE_GAP.test(text) && text.split(':').length <= 7
}

const isRange = remembering(text => network(text) === text && !text.endsWith('/0'))
const isProbability = remembering(text => probability(text) === text)

const FEW = 1000

/** Few networks and probabilities come up, each of them again and again. */
function remembering(holds: (text: string) => boolean): (text: string) => boolean {
  const known = new Map<string, boolean>()
  return text => {
    const answer = known.get(text) ?? holds(text)
    // A copy: a piece of a long text keeps all of that text in memory.
    if (known.size < FEW && !known.has(text)) known.set([...text].join(''), answer)
    return answer
  }
}
