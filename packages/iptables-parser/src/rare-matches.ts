import { asWritten, type Form, form, otherwise, takes, takesQuoted, takesText, unless } from './form.ts'
import { mark } from './marks.ts'
import { hexWith, number, portRange, rangeTo } from './numbers.ts'
import { settleCluster } from './settle.ts'
import { dateAndTime, monthdays, settleTime, timeOfDay, weekdays } from './times.ts'
import { dscp, tos } from './tos.ts'

// The matches one meets less often: their options, in the order they are printed.

const SPI = rangeTo(0xffffffff)
const ANY_SPI = '0:4294967295'

export const RARE_MATCHES: Readonly<Record<string, Form>> = {
  ah: form([unless(ANY_SPI, takes('--ahspi', SPI)), takes('--ahlen', number), takes('--ahres')]),
  bpf: form([takesQuoted('--bytecode'), takes('--object-pinned', asWritten)]),
  cgroup: form([takesText('--path'), takes('--cgroup', number)]),
  cluster: form(
    [
      takes('--cluster-local-nodemask', hexWith(8)),
      takes('--cluster-local-node', number),
      takes('--cluster-total-nodes', number),
      takes('--cluster-hash-seed', hexWith(8)),
    ],
    settleCluster,
  ),
  connlabel: form([takesQuoted('--label'), takes('--set')]),
  cpu: form([takes('--cpu', number)]),
  dccp: form([
    takes('--sport --source-port', portRange),
    takes('--dport --destination-port', portRange),
    takes('--dccp-types', asWritten),
    takes('--dccp-option', number),
  ]),
  devgroup: form([takes('--src-group', mark), takes('--dst-group', mark)]),
  dscp: form([takes('--dscp --dscp-class', dscp)]),
  dst: form([takes('--dst-len', number), takes('--dst-opts', asWritten)]),
  ecn: form([takes('--ecn-tcp-ece'), takes('--ecn-tcp-cwr'), takes('--ecn-ip-ect', number)]),
  esp: form([unless(ANY_SPI, takes('--espspi', SPI))]),
  eui64: form([]),
  frag: form([
    unless(ANY_SPI, takes('--fragid', SPI)),
    takes('--fraglen', number),
    takes('--fragres'),
    takes('--fragfirst'),
    takes('--fragmore'),
    takes('--fraglast'),
  ]),
  hbh: form([takes('--hbh-len', number), takes('--hbh-opts', asWritten)]),
  hl: form([takes('--hl-eq --hl', number), takes('--hl-lt', number), takes('--hl-gt', number)]),
  ipcomp: form([unless(ANY_SPI, takes('--ipcompspi', SPI)), takes('--compres')]),
  ipv6header: form([takes('--header', asWritten), takes('--soft')]),
  mh: form([unless('0:255', takes('--mh-type', rangeTo(255)))]),
  osf: form([takes('--genre', asWritten), takes('--ttl', number), takes('--log', number)]),
  quota: form([takes('--quota', number)]),
  realm: form([takes('--realm', mark)]),
  rt: form([
    takes('--rt-type', number),
    unless(ANY_SPI, takes('--rt-segsleft', SPI)),
    takes('--rt-len', number),
    takes('--rt-0-res'),
    takes('--rt-0-addrs', asWritten),
    takes('--rt-0-not-strict'),
  ]),
  time: form(
    [
      takes('--timestart', timeOfDay),
      takes('--timestop', timeOfDay),
      takes('--monthdays', monthdays),
      takes('--weekdays', weekdays),
      takes('--datestart', dateAndTime),
      otherwise('2038-01-19T03:14:07', takes('--datestop', dateAndTime)),
      takes('--kerneltz'),
      takes('--contiguous'),
    ],
    settleTime,
  ),
  tos: form([takes('--tos', tos)]),
  ttl: form([takes('--ttl-eq --ttl', number), takes('--ttl-lt', number), takes('--ttl-gt', number)]),
}
