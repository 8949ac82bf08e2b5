import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Certificate authorities for tests, made when a test starts: one that is checked in would expire.

export interface Pair {
  readonly cert: string
  readonly key: string
}

export class Authority {
  readonly #folder = mkdtempSync(join(tmpdir(), 'switchyard-ca-'))
  readonly cert: string

  constructor(name: string) {
    this.#openssl(
      'req',
      '-x509',
      ...NEW_KEY,
      '-keyout',
      'ca.key',
      '-out',
      'ca.crt',
      '-subj',
      `/CN=${name}`,
      '-days',
      '2',
    )
    this.cert = this.#read('ca.crt')
  }

  /** For 127.0.0.1, or for the host name given. */
  sign(name: string, host = 'IP:127.0.0.1'): Pair {
    const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${host}`]
    this.#openssl('req', ...NEW_KEY, '-keyout', 'it.key', '-out', 'it.csr', ...subject)
    const signer = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-days', '2', '-copy_extensions', 'copyall']
    this.#openssl('x509', '-req', '-in', 'it.csr', ...signer, '-out', 'it.crt')
    return { cert: this.#read('it.crt'), key: this.#read('it.key') }
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #openssl(...words: string[]): void {
    execFileSync('openssl', words, { cwd: this.#folder, stdio: 'pipe' })
  }

  #read(name: string): string {
    return readFileSync(join(this.#folder, name), 'utf8')
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
