/**
 * Passkeys need JavaScript (WebAuthn Level 2 section 5): a form `data-passkey` asks for options, lets the
 * browser make or use a passkey with them, and sends what comes of it. Without this script, or in a
 * browser that has no passkeys, those forms stay hidden and everything else works.
 */
const ceremonies = {
  create: (options) =>
    navigator.credentials.create({
      publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
    }),
  get: (options) =>
    navigator.credentials.get({
      publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options),
    }),
};

async function ask(form) {
  const reply = await fetch(form.dataset.options, {
    method: "POST",
    body: new URLSearchParams(new FormData(form)),
  });
  if (!reply.ok) throw new Error(`options: ${reply.status}`);
  return ceremonies[form.dataset.passkey](await reply.json());
}

async function submitWithPasskey(form) {
  const failed = form.querySelector("[role=alert]");
  failed.hidden = true;
  try {
    const credential = await ask(form);
    form.elements.passkey.value = JSON.stringify(credential);
    form.submit();
  } catch {
    // Cancelled by the person, or refused by the device: the browser has said why.
    failed.hidden = false;
  }
}

if (window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      submitWithPasskey(form);
    });
  }
}
