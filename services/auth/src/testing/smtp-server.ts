/** An SMTP server to be killed: prints whom a mail is for before it says that it took it. */
import { createInbox } from "@portico/sandboxes";

const inbox = await createInbox({
  smtpPort: Number(process.argv[2]),
  log(event) {
    if (event !== "message.received") return;
    for (const recipient of inbox.messages()[0]?.to ?? []) process.stdout.write(`${recipient}\n`);
  },
});
