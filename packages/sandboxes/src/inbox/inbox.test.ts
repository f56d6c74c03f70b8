import { createTransport, type SendMailOptions, type Transporter } from "nodemailer";
import { afterEach, describe, expect, it } from "vitest";
import { createInbox, type Inbox, type InboxOptions } from "./inbox.ts";

const opened: { close(): unknown }[] = [];

afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing.close();
});

async function openInbox(options: InboxOptions = {}): Promise<Inbox> {
  const inbox = await createInbox(options);
  opened.push(inbox);
  return inbox;
}

function transportTo(smtpUrl: string): Transporter {
  const transport = createTransport(smtpUrl);
  opened.push(transport);
  return transport;
}

const mail = (more: SendMailOptions = {}): SendMailOptions => ({
  from: "Portico <no-reply@portico.localhost>",
  to: "ada@example.com",
  subject: "Verify your account",
  text: "Open http://localhost:8080/auth/verify?token=a&b=1. It is valid for an hour.",
  html: '<p style="color:teal">Open <a href="http://localhost:8080/auth/verify?token=a&amp;b=1">this</a>',
  ...more,
});

async function get(url: string) {
  const response = await fetch(url);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const getJson = async (url: string) => JSON.parse((await get(url)).text);

const post = (url: string, body: unknown) =>
  fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

describe("receiving", () => {
  it("keeps what a real client sends: envelope, subject, both bodies, headers, attachments", async () => {
    const inbox = await openInbox();
    await transportTo(inbox.smtpUrl).sendMail(
      mail({ bcc: "eve@example.com", attachments: [{ filename: "a.txt", content: "hello" }] }),
    );

    const [message] = inbox.messages();
    expect(message).toMatchObject({
      from: "no-reply@portico.localhost",
      to: ["ada@example.com", "eve@example.com"],
      subject: "Verify your account",
      attachments: [{ filename: "a.txt", contentType: "text/plain", bytes: 5 }],
    });
    expect(message?.text).toContain("valid for an hour");
    expect(message?.headers).toContainEqual({ name: "Subject", value: "Verify your account" });
  });

  it("finds each link once, without the sentence around it and without HTML escapes", async () => {
    const inbox = await openInbox();
    await transportTo(inbox.smtpUrl).sendMail(mail());

    expect(inbox.messages()[0]?.links).toEqual(["http://localhost:8080/auth/verify?token=a&b=1"]);
  });

  it("waits for a mail that is still to come", async () => {
    const inbox = await openInbox();
    const expected = inbox.waitFor({ to: "ADA@example.com", subject: /verify/i });
    const transport = transportTo(inbox.smtpUrl);
    await transport.sendMail(mail({ to: "bob@example.com" }));
    await transport.sendMail(mail());

    expect((await expected).to).toEqual(["ada@example.com"]);
  });

  it("says which mail did not come in time", async () => {
    const inbox = await openInbox();

    await expect(inbox.waitFor({ to: "ada@example.com", subject: "Reset" }, 10)).rejects.toThrow(
      'No mail for ada@example.com about "Reset" within 10 ms.',
    );
  });

  it("refuses a mail above the size limit (552) and keeps nothing of it", async () => {
    const inbox = await openInbox({ maxMessageBytes: 2000 });
    const sending = transportTo(inbox.smtpUrl).sendMail(mail({ text: "x".repeat(4000) }));

    await expect(sending).rejects.toMatchObject({ responseCode: 552 });
    expect(inbox.messages()).toEqual([]);
  });

  it("keeps the newest messages only, by number", async () => {
    const inbox = await openInbox({ maxMessages: 2 });
    const transport = transportTo(inbox.smtpUrl);
    for (const subject of ["one", "two", "three"]) await transport.sendMail(mail({ subject }));

    expect(inbox.messages().map((message) => message.subject)).toEqual(["three", "two"]);
  });

  it("keeps the newest messages only, by total size", async () => {
    const inbox = await openInbox({ maxBytes: 5000 });
    const transport = transportTo(inbox.smtpUrl);
    const text = "x ".repeat(900);
    for (const subject of ["one", "two"]) await transport.sendMail(mail({ subject, text }));

    expect(inbox.messages().map((message) => message.subject)).toEqual(["two"]);
  });
});

describe("authentication", () => {
  const credentials = { user: "portico", password: "p@ss/word" };

  it("lets a client in with the credentials in its URL", async () => {
    const inbox = await openInbox({ credentials });
    await transportTo(inbox.smtpUrl).sendMail(mail());

    expect(inbox.messages()).toHaveLength(1);
  });

  it("refuses a wrong password (535)", async () => {
    const inbox = await openInbox({ credentials });
    const wrong = inbox.smtpUrl.replace("p%40ss", "guess");

    await expect(transportTo(wrong).sendMail(mail())).rejects.toMatchObject({ responseCode: 535 });
  });

  it("refuses a client that does not authenticate (530)", async () => {
    const inbox = await openInbox({ credentials });
    const anonymous = inbox.smtpUrl.replace(/\/\/.*@/, "//");

    await expect(transportTo(anonymous).sendMail(mail())).rejects.toMatchObject({
      responseCode: 530,
    });
  });
});

describe("faults", () => {
  it("refuses a recipient for now (451) as often as ordered, then accepts", async () => {
    const inbox = await openInbox();
    await post(`${inbox.url}/api/faults`, { kind: "refuse", count: 1 });
    const transport = transportTo(inbox.smtpUrl);

    await expect(transport.sendMail(mail())).rejects.toMatchObject({ responseCode: 451 });
    await transport.sendMail(mail());
    expect(inbox.messages()).toHaveLength(1);
  });

  it("rejects one recipient for good (550), and nobody else", async () => {
    const inbox = await openInbox();
    await post(`${inbox.url}/api/faults`, { kind: "reject", to: "Ada@example.com" });
    const transport = transportTo(inbox.smtpUrl);

    await expect(transport.sendMail(mail())).rejects.toMatchObject({ responseCode: 550 });
    await transport.sendMail(mail({ to: "bob@example.com" }));
    expect(inbox.messages().map(({ to }) => to)).toEqual([["bob@example.com"]]);
  });

  it("breaks the connection after the message and keeps nothing", async () => {
    const inbox = await openInbox({ faults: [{ kind: "drop", count: 1 }] });

    await expect(transportTo(inbox.smtpUrl).sendMail(mail())).rejects.toThrow();
    expect(inbox.messages()).toEqual([]);
    expect(inbox.faults.list()).toEqual([]);
  });

  it("answers late, so that a client with a deadline gives up", async () => {
    const inbox = await openInbox({ faults: [{ kind: "slow", delayMs: 60_000 }] });
    const hasty = transportTo(`${inbox.smtpUrl}?socketTimeout=100`);

    await expect(hasty.sendMail(mail())).rejects.toThrow();
    expect(inbox.messages()).toEqual([]);
  });

  it("refuses a fault it does not know (400) and forgets all on DELETE", async () => {
    const inbox = await openInbox();
    const faults = `${inbox.url}/api/faults`;

    expect((await post(faults, { kind: "explode" })).status).toBe(400);
    await post(faults, { kind: "refuse" });
    expect((await fetch(faults, { method: "DELETE" })).status).toBe(204);
    expect(await getJson(faults)).toEqual({ faults: [] });
  });
});

describe("API", () => {
  it("lists newest first, by recipient, page by page", async () => {
    const inbox = await openInbox();
    const transport = transportTo(inbox.smtpUrl);
    for (const subject of ["one", "two", "three"]) await transport.sendMail(mail({ subject }));
    await transport.sendMail(mail({ to: "bob@example.com" }));

    const list = `${inbox.url}/api/messages?to=Ada@example.com&limit=2`;
    const first = await getJson(list);
    expect(first.messages.map((message: { subject: string }) => message.subject)).toEqual([
      "three",
      "two",
    ]);
    const second = await getJson(`${list}&cursor=${first.next}`);
    expect(second.messages).toMatchObject([{ subject: "one", to: ["ada@example.com"] }]);
    expect(second.next).toBeUndefined();
  });

  it("holds the answer until there is a message, when asked to wait", async () => {
    const inbox = await openInbox();
    const waiting = getJson(`${inbox.url}/api/messages?to=ada@example.com&waitMs=20000`);
    await transportTo(inbox.smtpUrl).sendMail(mail());

    expect((await waiting).messages).toHaveLength(1);
  });

  it("tells what arrived for a domain since the last look, oldest first", async () => {
    const inbox = await openInbox();
    const transport = transportTo(inbox.smtpUrl);
    const subjects = ({ messages }: { messages: { subject: string }[] }) =>
      messages.map(({ subject }) => subject);
    for (const subject of ["one", "two"]) await transport.sendMail(mail({ subject }));
    await transport.sendMail(mail({ to: "bob@other.example.com", subject: "no" }));

    const arrivals = `${inbox.url}/api/arrivals?domain=Example.com`;
    const first = await getJson(arrivals);
    expect(subjects(first)).toEqual(["one", "two"]);
    expect(first.messages[0].links).toEqual(["http://localhost:8080/auth/verify?token=a&b=1"]);
    expect(subjects(await getJson(`${arrivals}&after=${first.after}`))).toEqual([]);

    const waiting = getJson(`${arrivals}&after=${first.after}&waitMs=20000`);
    await transport.sendMail(mail({ subject: "three" }));
    expect(subjects(await waiting)).toEqual(["three"]);
    // As after a restart of the inbox, which numbers from one again.
    expect(subjects(await getJson(`${arrivals}&after=elsewhere:99`))).toHaveLength(3);
  });

  it("shows one message and its source; an unknown one is 404", async () => {
    const inbox = await openInbox();
    await transportTo(inbox.smtpUrl).sendMail(mail());
    const [{ id }] = (await getJson(`${inbox.url}/api/messages`)).messages;

    const message = await getJson(`${inbox.url}/api/messages/${id}`);
    expect(message).toMatchObject({ id, links: ["http://localhost:8080/auth/verify?token=a&b=1"] });
    expect(message).not.toHaveProperty("raw");
    const source = await get(`${inbox.url}/api/messages/${id}/raw`);
    expect(source.text).toContain("Subject: Verify your account");
    expect(source.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect((await get(`${inbox.url}/api/messages/999`)).status).toBe(404);
    expect((await get(`${inbox.url}/api/messages/999/raw`)).status).toBe(404);
  });

  it("names the wrong field of a request (400)", async () => {
    const inbox = await openInbox();
    const answer = await get(`${inbox.url}/api/messages?limit=0`);

    expect(answer.status).toBe(400);
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
    expect(answer.text).toContain("limit");
  });

  it("forgets every message on DELETE", async () => {
    const inbox = await openInbox();
    await transportTo(inbox.smtpUrl).sendMail(mail());

    expect((await fetch(`${inbox.url}/api/messages`, { method: "DELETE" })).status).toBe(204);
    expect(inbox.messages()).toEqual([]);
  });
});

describe("page", () => {
  const hostile = '"><script>alert(1)</script>';

  it("shows the list, and a message with its links opening apart", async () => {
    const inbox = await openInbox();
    await transportTo(inbox.smtpUrl).sendMail(mail());

    expect((await get(inbox.url)).text).toContain('<a href="/messages/1">');
    const { text } = await get(`${inbox.url}/messages/1`);
    expect(text).toContain(
      '<a href="http://localhost:8080/auth/verify?token=a&amp;b=1" target="_blank" rel="noopener noreferrer">',
    );
  });

  it("never lets a mail write into the page", async () => {
    const inbox = await openInbox();
    await transportTo(inbox.smtpUrl).sendMail(
      mail({ subject: hostile, text: hostile, html: hostile, headers: { "x-evil": hostile } }),
    );

    for (const path of ["/", "/messages/1", `/?to=${encodeURIComponent(hostile)}`]) {
      expect((await get(inbox.url + path)).text).not.toContain("<script>");
    }
  });

  it("allows no script and nothing from elsewhere; mail HTML stands in a sandboxed frame", async () => {
    const inbox = await openInbox();
    await transportTo(inbox.smtpUrl).sendMail(mail());

    const list = await get(inbox.url);
    expect(list.headers.get("content-security-policy")).toMatch(
      /^default-src 'none'; style-src 'sha256-/,
    );
    const message = await get(`${inbox.url}/messages/1`);
    expect(message.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(message.text).toContain('sandbox="allow-popups allow-popups-to-escape-sandbox"');
  });

  it("clears the list for its own button, not for a page of another site", async () => {
    const inbox = await openInbox();
    await transportTo(inbox.smtpUrl).sendMail(mail());
    const clear = (site: string) =>
      fetch(`${inbox.url}/clear`, { method: "POST", headers: { "sec-fetch-site": site } });

    await clear("cross-site");
    expect(inbox.messages()).toHaveLength(1);
    await clear("same-origin");
    expect(inbox.messages()).toEqual([]);
  });
});
