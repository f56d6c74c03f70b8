import { type Html, html, trusted } from "../pages/html.ts";

/** Inline SVG, of presentation attributes only: no policy has to let an image or a style in for it. */
export async function qrCode(text: string): Promise<Html> {
  const { renderSVG } = await import("uqr");
  // White around it on dark pages too: what a camera needs, four modules wide (ISO/IEC 18004).
  const svg = renderSVG(text, { ecc: "M", border: 4, pixelSize: 4 });
  return html`<div class="qr" role="img" aria-label="QR code with the secret below">${trusted(svg)}</div>`;
}
