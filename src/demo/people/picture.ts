import { crc32, deflateSync } from 'node:zlib'

const SIDE = 48

/**
 * A small grey PNG (ISO/IEC 15948) that stands for an image: a bright disc on a dark field, shaded by `shade` (0–255).
 * No body was imaged for it.
 */
export function makePicture(shade: number): string {
  const rows = Array.from({ length: SIDE }, (_, y) => {
    const row = Array.from({ length: SIDE }, (__, x) => {
      const distance = Math.hypot(x - SIDE / 2, y - SIDE / 2)
      return Math.max(0, Math.min(255, Math.round(shade - distance * 6)))
    })
    return [0, ...row]
  })
  const header = Buffer.alloc(13)
  header.writeUInt32BE(SIDE, 0)
  header.writeUInt32BE(SIDE, 4)
  header[8] = 8
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  const pixels = deflateSync(Buffer.from(rows.flat()))
  const chunks = [chunk('IHDR', header), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))]
  return Buffer.concat([signature, ...chunks]).toString('base64')
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(data.length, 0)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}
