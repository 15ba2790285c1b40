// Passkeys: what the page was given goes to the device, and the device's answer into the page's form.
(() => {
  const form = document.querySelector("form[data-passkey]");
  const button = form.querySelector("button");
  const bytes = (text) => Uint8Array.from(
    atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
  const base64url = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const say = (what) => {
    for (const one of form.querySelectorAll("[data-when]")) one.hidden = one.dataset.when !== what;
  };
  const isNew = form.dataset.passkey === "create";

  // A challenge is good for one answer, but a device may be asked again until it gives one.
  const options = () => {
    const { publicKey } = JSON.parse(form.dataset.options);
    publicKey.challenge = bytes(publicKey.challenge);
    if (publicKey.user) publicKey.user.id = bytes(publicKey.user.id);
    for (const list of [publicKey.excludeCredentials, publicKey.allowCredentials]) {
      for (const one of list ?? []) one.id = bytes(one.id);
    }
    return { publicKey };
  };

  const answerOf = (found) => {
    const { rawId, type, response } = found;
    const parts = isNew
      ? ["attestationObject", "clientDataJSON"]
      : ["authenticatorData", "clientDataJSON", "signature", "userHandle"];
    const sent = {};
    for (const part of parts) if (response[part]) sent[part] = base64url(response[part]);
    const { credProps } = found.getClientExtensionResults();
    const clientExtensionResults = isNew && credProps ? { credProps } : {};
    return { id: base64url(rawId), rawId: base64url(rawId), type, response: sent, clientExtensionResults };
  };

  const ask = async () => {
    say("");
    button.disabled = true;
    try {
      const found = await navigator.credentials[form.dataset.passkey](options());
      form.elements.answer.value = JSON.stringify(answerOf(found));
      form.submit();
    } catch (error) {
      say(error.name === "InvalidStateError" ? "known" : "nothing");
      button.disabled = false;
      button.focus();
    }
  };

  if (location.hostname !== form.dataset.name) return say("elsewhere");
  if (!window.PublicKeyCredential) return say("unsupported");
  form.addEventListener("submit", (event) => { event.preventDefault(); ask(); });
  button.hidden = false;
  // After a refusal its text is to be read first.
  if ("wait" in form.dataset) button.focus(); else ask();
})();
