import { toString as drawSvg } from 'qrcode'

/** The QR code as an SVG in a data address, for an `<img>`: no markup crosses into the page. */
export async function drawQrCode(text: string): Promise<string> {
  const svg = await drawSvg(text, { type: 'svg', errorCorrectionLevel: 'M', margin: 4 })
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`
}
