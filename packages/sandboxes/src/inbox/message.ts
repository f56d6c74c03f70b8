/**
 * A message as the inbox keeps it: who it was for by the SMTP envelope (RFC 5321), what it says by
 * its headers and parts (RFC 5322, MIME), and the links in it, which is what a test usually wants.
 * How messages arrive is receive.ts; how they are kept is message-store.ts.
 */

export type Envelope = { from: string; to: string[] };

export type Attachment = { filename: string; contentType: string; bytes: number };

export type Header = { name: string; value: string };

export type Message = {
  id: string;
  receivedAt: string;
  from: string;
  to: string[];
  subject: string;
  /** Size as received. */
  bytes: number;
  headers: Header[];
  text: string;
  html: string;
  /** Every http(s) address in the text and the HTML, in order, once each. */
  links: string[];
  attachments: Attachment[];
  raw: Buffer;
};

/** What a list shows of a message. */
export type MessageSummary = Pick<
  Message,
  "id" | "receivedAt" | "from" | "to" | "subject" | "bytes"
>;

export const summarize = (message: Message): MessageSummary => ({
  id: message.id,
  receivedAt: message.receivedAt,
  from: message.from,
  to: message.to,
  subject: message.subject,
  bytes: message.bytes,
});

/** Reads a message as it came over the wire. */
export async function parseMessage(
  raw: Buffer,
  envelope: Envelope,
): Promise<Omit<Message, "id" | "receivedAt">> {
  // Loaded with the first message: the parser is the largest part of this process.
  const { simpleParser } = await import("mailparser");
  const parsed = await simpleParser(raw, {
    skipHtmlToText: true,
    skipTextToHtml: true,
    skipTextLinks: true,
  });
  const text = parsed.text ?? "";
  const html = parsed.html || "";

  return {
    from: envelope.from,
    to: envelope.to,
    subject: parsed.subject ?? "",
    bytes: raw.byteLength,
    headers: parsed.headerLines.map(({ line }) => splitHeader(line)),
    text,
    html,
    links: findLinks(text, html),
    attachments: parsed.attachments.map((attachment) => ({
      filename: attachment.filename ?? "",
      contentType: attachment.contentType,
      bytes: attachment.size,
    })),
    raw,
  };
}

/** A header as written, unfolded (RFC 5322 §2.2.3). */
function splitHeader(line: string): Header {
  const colon = line.indexOf(":");
  const value = line.slice(colon + 1).replace(/\r?\n(?=[ \t])/g, "");
  return { name: line.slice(0, colon), value: value.trim() };
}

/** An address in running text, without the punctuation that ends the sentence around it. */
export const urlInText = /https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]}]/g;

export function findLinks(text: string, html: string): string[] {
  const inText = text.match(urlInText) ?? [];
  const inHtml = [...html.matchAll(/<a\b[^>]*?\bhref\s*=\s*["']?(https?:[^"'\s>]+)/gi)].map(
    ([, href = ""]) => unescapeAttribute(href),
  );
  return [...new Set([...inText, ...inHtml])];
}

const unescapeAttribute = (value: string): string =>
  value
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(/&#x([\da-f]+);/gi, (_, code: string) =>
      String.fromCodePoint(Number.parseInt(code, 16)),
    )
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");
