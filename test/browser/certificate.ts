// A certificate that signs itself, for the HTTPS servers of the tests: made when they start, with nothing but Node. Chromium is told to
// accept it, so it says as little as a certificate can (RFC 5280, section 4.1).
import { generateKeyPairSync, sign } from 'node:crypto'

function der (tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents)
  const { length: n } = content
  const length = n < 128 ? [n] : n < 256 ? [0x81, n] : [0x82, n >> 8, n & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}

const sequence = (...contents: Buffer[]): Buffer => der(0x30, ...contents)

/** UTCTime: YYMMDDHHMMSSZ. */
function time (date: Date): Buffer {
  return der(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`))
}

/** A key and its certificate, in PEM, that hold for a day. */
export function selfSigned (host: string): { key: string, cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const ecdsaWithSha256 = sequence(der(0x06, Buffer.from('2a8648ce3d040302', 'hex')))
  const name = sequence(der(0x31, sequence(der(0x06, Buffer.from('550403', 'hex')), der(0x0c, Buffer.from(host)))))
  const alternativeNames = sequence(der(0x06, Buffer.from('551d11', 'hex')), der(0x04, sequence(der(0x82, Buffer.from(host)))))
  const day = 86_400_000
  const validity = sequence(time(new Date(Date.now() - day)), time(new Date(Date.now() + day)))
  const toSign = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), der(0x02, Buffer.from([1])), ecdsaWithSha256, name, validity, name,
    publicKey.export({ type: 'spki', format: 'der' }), der(0xa3, sequence(alternativeNames))
  )
  const certificate = sequence(toSign, ecdsaWithSha256, der(0x03, Buffer.from([0]), sign('sha256', toSign, privateKey)))
  const lines = certificate.toString('base64').match(/.{1,64}/g) as string[]
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
  }
}
