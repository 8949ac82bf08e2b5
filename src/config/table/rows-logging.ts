import type { KindName, Value } from './kinds.ts'
import { DAEMONS, type Setting } from './setting.ts'

// Rows: logging, and the flags of older kube-proxies and their libraries.

const STDERR = 'log lines go to standard error, and nowhere else'
const AT_ONCE = 'every log line is written at once'

export const LOGGING_ROWS: readonly Setting[] = [
  {
    flag: 'v',
    short: 'v',
    field: 'logging.verbosity',
    kind: 'count',
    initial: 0,
    besideConfig: true,
    verbs: DAEMONS,
    group: 'logging',
    help: 'How much is logged: 0 is the least, 4 names every Service, 9 shows every document for the kernel.',
  },
  {
    flag: 'vmodule',
    field: 'logging.vmodule',
    kind: 'vmodule',
    initial: [],
    omitZero: true,
    besideConfig: true,
    verbs: DAEMONS,
    group: 'logging',
    help: 'Another verbosity for some source files: "report=4,kube*=2".',
  },
  {
    flag: 'logging-format',
    field: 'logging.format',
    kind: 'text',
    words: ['text', 'json'],
    initial: 'text',
    besideConfig: true,
    verbs: DAEMONS,
    group: 'logging',
    help: 'How log lines are written: text or json.',
  },
  noEffect('log-flush-frequency', 'logging.flushFrequency', { kind: 'flush', initial: 5000, reason: AT_ONCE }),
  noEffect('log-text-split-stream', 'logging.options.text.splitStream', split()),
  noEffect('log-text-info-buffer-size', 'logging.options.text.infoBufferSize', buffer()),
  noEffect('log-json-split-stream', 'logging.options.json.splitStream', split()),
  noEffect('log-json-info-buffer-size', 'logging.options.json.infoBufferSize', buffer()),
  unused('boot-id-file', '/proc/sys/kernel/random/boot_id', 'nothing here reads it'),
  unused('machine-id-file', '/etc/machine-id,/var/lib/dbus/machine-id', 'nothing here reads it'),
  legacy('logtostderr', true, STDERR),
  legacy('alsologtostderr', false, STDERR),
  legacy('stderrthreshold', '2', STDERR),
  legacy('log-dir', '', STDERR),
  legacy('log-file', '', STDERR),
  legacy('log-file-max-size', '1800', STDERR),
  legacy('one-output', false, STDERR),
  legacy('log-backtrace-at', ':0', 'no log line carries a stack'),
  legacy('skip-headers', false, 'every log line has its header'),
  legacy('skip-log-headers', false, STDERR),
  legacy('add-dir-header', false, 'the header names the file alone'),
  legacy('cleanup-ipvs', true, '--cleanup removes the leftovers of every mode, those of ipvs too'),
]

interface Without {
  readonly kind: KindName
  readonly initial: Value
  readonly reason: string
  readonly omitZero?: true
}

function noEffect(flag: string, field: string, { kind, initial, reason, omitZero }: Without): Setting {
  const row = { flag, field, kind, initial, noEffect: reason, besideConfig: true, group: 'accepted' } as const
  return { ...row, help: `Of kube-proxy's logging: ${reason}.`, ...(omitZero && { omitZero }) }
}

function split(): Without {
  return { kind: 'switch', initial: false, reason: STDERR, omitZero: true }
}

function buffer(): Without {
  return { kind: 'quantity', initial: '0', reason: AT_ONCE }
}

/** kube-proxy 1.36 still has it, through a library. */
function unused(flag: string, initial: string, reason: string): Setting {
  return {
    flag,
    kind: 'text',
    initial,
    noEffect: reason,
    besideConfig: true,
    group: 'accepted',
    help: `Of a library that kube-proxy links: ${reason}.`,
  }
}

/** kube-proxy 1.20 had it. */
function legacy(flag: string, initial: boolean | string, reason: string): Setting {
  const kind = typeof initial === 'boolean' ? 'switch' : 'text'
  return {
    flag,
    kind,
    initial,
    noEffect: reason,
    legacy: true,
    besideConfig: true,
    group: 'accepted',
    help: `Of kube-proxy 1.20: ${reason}.`,
  }
}
