import { address, natPorts, natRange, network } from './addresses.ts'
import { asWritten, type Form, form, otherwise, takes, takesQuoted, takesText, unless } from './form.ts'
import { markWithMask, settleConnmark, settleMark } from './marks.ts'
import { listOf, logLevel, rejectType } from './names.ts'
import { hexWith, number, trafficClass } from './numbers.ts'
import { settleNflog, settleNfqueue } from './settle.ts'
import { dscp, settleTos, tos } from './tos.ts'

// The targets that are not chains: their options, in the order they are printed.

const NAT_FLAGS = [takes('--random'), takes('--random-fully'), takes('--persistent')]
const NOTHING = form([])

export const TARGETS: ReadonlyMap<string, Form> = new Map(
  Object.entries({
    ACCEPT: NOTHING,
    AUDIT: form([takes('--type', asWritten)]),
    CHECKSUM: form([takes('--checksum-fill')]),
    CLASSIFY: form([takes('--set-class', trafficClass)]),
    CONNMARK: form(
      [
        takes('--set-xmark', markWithMask),
        takes('--set-mark', asWritten),
        takes('--and-mark', asWritten),
        takes('--or-mark', asWritten),
        takes('--xor-mark', asWritten),
        takes('--save-mark'),
        takes('--restore-mark'),
        takes('--mask', asWritten),
        takes('--nfmask', hexWith(1)),
        takes('--ctmask', hexWith(1)),
        takes('--left-shift-mark', number),
        takes('--right-shift-mark', number),
      ],
      settleConnmark,
    ),
    CONNSECMARK: form([takes('--save'), takes('--restore')]),
    CT: form([
      takes('--notrack'),
      takes('--helper', asWritten),
      takes('--timeout', asWritten),
      takes('--ctevents', listOf('new related destroy reply assured protoinfo helper mark natseqinfo secmark')),
      takes('--expevents', asWritten),
      takes('--zone-orig', asWritten),
      takes('--zone-reply', asWritten),
      takes('--zone', asWritten),
    ]),
    DNAT: form([takes('--to-destination', natRange), ...NAT_FLAGS]),
    DROP: NOTHING,
    DSCP: form([takes('--set-dscp --set-dscp-class', dscp)]),
    ECN: form([
      takes('--ecn-tcp-remove'),
      takes('--ecn-tcp-ece', number),
      takes('--ecn-tcp-cwr', number),
      takes('--ecn-ip-ect', number),
    ]),
    HL: form([takes('--hl-set', number), takes('--hl-dec', number), takes('--hl-inc', number)]),
    IDLETIMER: form([takes('--timeout', number), takes('--label', asWritten), takes('--alarm')]),
    LED: form([takesQuoted('--led-trigger-id'), takes('--led-delay', asWritten), takes('--led-always-blink')]),
    LOG: form([
      takesText('--log-prefix'),
      unless('4', takes('--log-level', logLevel)),
      takes('--log-tcp-sequence'),
      takes('--log-tcp-options'),
      takes('--log-ip-options'),
      takes('--log-uid'),
      takes('--log-macdecode'),
    ]),
    MARK: form(
      [
        takes('--set-xmark', markWithMask),
        takes('--set-mark', asWritten),
        takes('--and-mark', asWritten),
        takes('--or-mark', asWritten),
        takes('--xor-mark', asWritten),
      ],
      settleMark,
    ),
    MASQUERADE: form([takes('--to-ports', natPorts), ...NAT_FLAGS.slice(0, 2)]),
    NETMAP: form([takes('--to', network)]),
    NFLOG: form(
      [
        takesText('--nflog-prefix'),
        unless('0', takes('--nflog-group', number)),
        takes('--nflog-size', number),
        takes('--nflog-range', number),
        unless('0', takes('--nflog-threshold', number)),
      ],
      settleNflog,
    ),
    NFQUEUE: form(
      [
        takes('--queue-num', number),
        takes('--queue-balance', asWritten),
        takes('--queue-bypass'),
        takes('--queue-cpu-fanout'),
      ],
      settleNfqueue,
    ),
    NOTRACK: NOTHING,
    QUEUE: NOTHING,
    REDIRECT: form([takes('--to-ports', natPorts), ...NAT_FLAGS]),
    REJECT: form([
      otherwise({ ipv4: 'icmp-port-unreachable', ipv6: 'icmp6-port-unreachable' }, takes('--reject-with', rejectType)),
    ]),
    RETURN: NOTHING,
    SECMARK: form([takes('--selctx', asWritten)]),
    SET: form([
      takes('--add-set', asWritten, asWritten),
      takes('--exist'),
      takes('--timeout', number),
      takes('--del-set', asWritten, asWritten),
      takes('--map-set', asWritten, asWritten),
      takes('--map-mark'),
      takes('--map-prio'),
      takes('--map-queue'),
    ]),
    SNAT: form([takes('--to-source', natRange), ...NAT_FLAGS]),
    SYNPROXY: form([
      takes('--sack-perm'),
      takes('--timestamp'),
      takes('--wscale', number),
      takes('--mss', number),
      takes('--ecn'),
    ]),
    TCPMSS: form([takes('--clamp-mss-to-pmtu'), takes('--set-mss', number)]),
    TCPOPTSTRIP: form([takes('--strip-options', asWritten)]),
    TEE: form([takes('--gateway', address), takes('--oif', asWritten)]),
    TOS: form(
      [
        takes('--set-tos', tos),
        takes('--and-tos', asWritten),
        takes('--or-tos', asWritten),
        takes('--xor-tos', asWritten),
      ],
      settleTos,
    ),
    TPROXY: form([
      takes('--on-port', number),
      otherwise({ ipv4: '0.0.0.0', ipv6: '::' }, takes('--on-ip', address)),
      otherwise('0x0/0x0', takes('--tproxy-mark', markWithMask)),
    ]),
    TRACE: NOTHING,
    TTL: form([takes('--ttl-set', number), takes('--ttl-dec', number), takes('--ttl-inc', number)]),
  }),
)
