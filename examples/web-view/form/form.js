// Sends the form to the gateway's Web View address, the way a page written for Conversation Builder does.

const MESSAGE = "Here are my booking details";
const FIELDS = {
  riderName: "Please enter your name.",
  bike: "Please choose a bike.",
  day: "Please choose a day from today on.",
};

const form = document.getElementById("form");
const problem = document.getElementById("problem");
const query = new URLSearchParams(location.search);
const ids = Object.fromEntries(["conversationId", "botId", "userId"].map((name) => [name, query.get(name) ?? ""]));

/** The authorization of a Web View call: sha256hex(conversationId + " || " + botId). */
async function checksum() {
  if (!globalThis.crypto?.subtle) throw new Error("This page needs HTTPS, or an address of this machine, to sign what it sends.");
  const bytes = new TextEncoder().encode(`${ids.conversationId} || ${ids.botId}`);
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function entries() {
  return [...new FormData(form)].map(([name, value]) => ({ name, value: String(value).trim() })).filter((one) => one.value);
}

async function post() {
  const { gatewayUrl } = await (await fetch("config.json")).json();
  const response = await fetch(`${gatewayUrl}/thirdparty-services-0.1/webview`, {
    method: "POST",
    headers: { Authorization: await checksum(), "Content-Type": "application/json" },
    body: JSON.stringify({ ...ids, message: MESSAGE, contextVariables: entries() }),
  });
  const answer = await response.json();
  if (!answer.success) throw new Error(answer.error?.message ?? `The chat answered ${response.status}.`);
}

function check() {
  const wrong = Object.keys(FIELDS).filter((name) => {
    const controls = [...form.querySelectorAll(`[name="${name}"]`)];
    const bad = controls.some((control) => !control.validity.valid) || controls.some((control) => control.type === "text" && !control.value.trim());
    document.getElementById(`${name}-error`).textContent = bad ? FIELDS[name] : "";
    for (const control of controls) control.setAttribute("aria-invalid", String(bad));
    return bad;
  });
  form.querySelector(`[name="${wrong[0]}"]`)?.focus();
  return !wrong.length;
}

function complain(text) {
  problem.textContent = text;
  problem.hidden = false;
  problem.focus();
}

async function send(event) {
  event.preventDefault();
  problem.hidden = true;
  const button = document.getElementById("send");
  if (button.disabled || !check()) return;
  button.disabled = true;
  button.textContent = "Sending";
  try {
    await post();
    form.hidden = true;
    const done = document.getElementById("done");
    done.hidden = false;
    done.focus();
  } catch (error) {
    complain(`The form could not be sent. ${error instanceof TypeError ? "The chat cannot be reached." : error.message}`);
    button.disabled = false;
    button.textContent = "Send to the chat";
  }
}

const now = new Date();
document.getElementById("day").min = new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
form.addEventListener("submit", send);
if (Object.values(ids).includes("")) {
  form.hidden = true;
  complain("This page is opened from a chat: go back to it and use its button, so that the answers find their way.");
}
