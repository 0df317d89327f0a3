// One line lets a form post to the chat that opened it; docs/web-view.md has what the line may say.
//
//   <script src="https://chat.example.com/webview.js" data-form="#booking" data-message="booking sent"></script>
//
// The token that a script of the bot made stands behind # in the form's address (#webview=…), where no server sees it,
// or in data-token.
(() => {
  "use strict";
  const script = document.currentScript ?? document.querySelector('script[src*="/webview.js"]');
  const settings = script.dataset;
  const address = new URL("thirdparty-services-0.1/webview", script.src).href;
  const token = settings.token || new URLSearchParams(location.hash.slice(1)).get("webview");

  const OTHERWISE = "This could not be sent. Please try again.";
  const ENDED = "This form was for one use, or its time is over. Please open it again from the chat.";
  // What the person at the form is told, by the code of the error; its message is for the form's owner (console).
  const TEXTS = {
    no_token: "This page is opened from a chat. Please go back to it and use its link.",
    unreachable: "The chat cannot be reached. Please try again.",
    token_expired: ENDED,
    token_used: ENDED,
    unauthorized: "The link of this page is not whole. Please open it again from the chat.",
    not_found: "The conversation is over. Please begin a new one in the chat.",
    rate_limited: "That was too often. Please wait a moment and send it again.",
    too_large: "That is more than the chat takes. Please enter less.",
  };

  const failure = (code, message = "") => Object.assign(new Error(TEXTS[code] ?? OTHERWISE), {code, detail: message});

  /** Posts variables, a list of {name, value} or an object, and perhaps a message; gives the answer, with its receipt. */
  const send = async (variables, message) => {
    if (!token) throw failure("no_token");
    let response, answer;
    try {
      response = await fetch(address, {
        method: "POST",
        headers: {Authorization: `Bearer ${token}`, "Content-Type": "application/json"},
        body: JSON.stringify({message, contextVariables: variables}),
        credentials: "omit",
      });
      answer = await response.json();
    } catch (error) {
      throw failure("unreachable", String(error));
    }
    if (!response.ok || !answer.success) throw failure(answer.error?.code ?? "unknown", answer.error?.message);
    return answer;
  };

  /** The values of a form by name: of several with one name a list. Files are left out. */
  const entries = (form, submitter) => {
    const found = new Map();
    const add = (name, value) => found.set(name, [...(found.get(name) ?? []), value]);
    for (const [name, value] of new FormData(form)) if (name && typeof value == "string") add(name, value);
    if (submitter?.name) add(submitter.name, submitter.value);
    return [...found].map(([name, values]) => ({name, value: values.length > 1 ? values : values[0]}));
  };

  /** The element that a selector names, else a paragraph of our own at the end of the form. */
  const place = (selector, form, role) => {
    const named = selector && document.querySelector(selector);
    if (named) return named;
    const made = document.createElement("p");
    made.setAttribute("role", role);
    made.hidden = true;
    form.after(made);
    return made;
  };

  const attach = (form) => {
    const problem = place(settings.error, form, "alert");
    const done = place(settings.done, form, "status");
    let busy = false;

    const tell = (name, detail) => form.dispatchEvent(new CustomEvent(name, {detail, bubbles: true, cancelable: true}));
    const hold = (on) => {
      busy = on;
      form.setAttribute("aria-busy", String(on));
      for (const button of form.querySelectorAll('button:not([type="button"]), input[type="submit"]')) button.disabled = on;
    };
    const complain = (error) => {
      console.warn(`botlane: ${error.code}: ${error.detail || error.message}`);
      if (!tell("botlane:failed", {code: error.code, message: error.message})) return;
      problem.textContent = error.message;
      problem.hidden = false;
    };

    form.addEventListener("submit", async (event) => {
      if (event.defaultPrevented) return; // the page's own check found something
      event.preventDefault();
      if (busy) return;
      const posted = entries(form, event.submitter);
      hold(true);
      problem.hidden = true;
      try {
        const answer = await send(posted, settings.message);
        if (answer.ignored.length) console.warn("botlane: not taken:", answer.ignored.map((one) => one.reason));
        if (!tell("botlane:sent", {receipt: answer.receipt})) return hold(false); // the page says what comes next
        if (!settings.done) done.textContent = "Sent. You can go back to the chat.";
        form.hidden = true;
        done.hidden = false;
        done.tabIndex = -1; // the form is gone: who uses keys or listens goes on here
        done.focus();
      } catch (error) {
        hold(false);
        complain(error);
      }
    });
    if (!token) complain(failure("no_token"));
  };

  const begin = () => {
    const form = document.querySelector(settings.form || "form");
    if (form) attach(form);
    else if (settings.form) console.error(`botlane: there is no form ${settings.form} on this page`);
  };
  globalThis.botlane = Object.freeze({send});
  if (document.readyState == "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
