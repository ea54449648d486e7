// What the elements of the conformance cases load: a module, an image and a font, made here.

export const SCRIPT = 'export default 1\n'
export const CLASSIC_SCRIPT = 'globalThis.loadedScripts = (globalThis.loadedScripts ?? 0) + 1\n'
export const IMAGE = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'

/** The smallest TrueType font that browsers accept (https://learn.microsoft.com/typography/opentype/spec/otff): a square for the blank. */
export function font (): Buffer {
  const u16 = (...values: number[]): Buffer => Buffer.concat(values.map((value) => Buffer.from([(value >> 8) & 0xff, value & 0xff])))
  const u32 = (...values: number[]): Buffer => Buffer.concat(values.map((value) => u16(value >>> 16, value & 0xffff)))
  // A glyph with one contour of four points, on the curve, each given as two words.
  const glyph = Buffer.concat([u16(1, 0, 0, 500, 500, 3, 0), Buffer.from([1, 1, 1, 1]), u16(0, 500, 0, -500), u16(0, 0, 500, 0)])
  const padded = Buffer.concat([glyph, Buffer.alloc((4 - glyph.length % 4) % 4)])
  const tables: Array<[tag: string, content: Buffer]> = [
    ['OS/2', Buffer.concat([u16(4, 500, 400, 5, 0, 650, 700, 0, 140, 650, 700, 0, 480, 50, 250, 0), Buffer.alloc(10), u32(1, 0, 0, 0), Buffer.from('TEST'), u16(0x40, 0x20, 0x7e, 750, -250, 0, 750, 250), u32(1, 0), u16(500, 700, 0, 0x20, 1)])],
    ['cmap', Buffer.concat([u16(0, 1, 3, 1), u32(12), u16(4, 32, 0, 4, 4, 1, 0, 0x20, 0xffff, 0, 0x20, 0xffff, 0x10000 - 0x20, 1, 0, 0)])],
    ['glyf', padded],
    ['head', Buffer.concat([u32(0x10000, 0x10000, 0, 0x5f0f3cf5), u16(3, 1000), Buffer.alloc(16), u16(0, 0, 500, 500, 0, 8, 2, 1, 0)])],
    ['hhea', Buffer.concat([u32(0x10000), u16(750, -250, 0, 500, 0, 0, 500, 1, 0, 0, 0, 0, 0, 0, 0, 1)])],
    ['hmtx', u16(500, 0)],
    ['loca', u32(0, padded.length)],
    ['maxp', Buffer.concat([u32(0x10000), u16(1, 4, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0)])],
    ['name', u16(0, 0, 6)],
    ['post', Buffer.concat([u32(0x30000, 0), u16(-100, 50), u32(0, 0, 0, 0, 0)])]
  ]
  const directory: Buffer[] = [u32(0x10000), u16(tables.length, 128, 3, tables.length * 16 - 128)]
  const contents: Buffer[] = []
  let offset = 12 + 16 * tables.length
  for (const [tag, content] of tables) {
    const whole = Buffer.concat([content, Buffer.alloc((4 - content.length % 4) % 4)])
    directory.push(Buffer.from(tag), u32(checksum(whole), offset, content.length))
    contents.push(whole)
    offset += whole.length
  }
  return Buffer.concat([...directory, ...contents])
}

function checksum (table: Buffer): number {
  let sum = 0
  for (let at = 0; at < table.length; at += 4) sum = (sum + table.readUInt32BE(at)) >>> 0
  return sum
}
