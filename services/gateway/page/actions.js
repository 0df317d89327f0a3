// What a tap on rich content does: say something, open an address, show a place.

import { el, hidden, icon, outward, safeAddress, words } from "./dom.js";

/** The map of a place on a map site, opened only when the consumer asks for it. */
export function mapAddress({ la, lo }) {
  return `https://www.openstreetmap.org/?mlat=${la}&mlon=${lo}#map=15/${la}/${lo}`;
}

/** What a control says when tapped, or null: {text, payload, metadata}. */
function said(element, label) {
  const publish = actions(element).find((action) => action?.type === "publishText" && action.text !== undefined);
  if (!publish) return null;
  const payload = words(publish.text);
  const message = { text: (label || payload).slice(0, 8000), payload };
  const metadata = element.click?.metadata;
  if (Array.isArray(metadata) && metadata.length) message.metadata = metadata;
  return message;
}

const actions = (element) => (Array.isArray(element.click?.actions) ? element.click.actions : []);

/** The address a control opens: undefined when it opens none, null when it may not be opened. */
function target(element) {
  for (const action of actions(element)) {
    if (action?.type === "link") return { address: safeAddress(action.web?.uri ?? action.uri), same: action.target === "self" };
    if (action?.type === "navigate" && Number.isFinite(Number(action.la)) && Number.isFinite(Number(action.lo)))
      return { address: mapAddress({ la: Number(action.la), lo: Number(action.lo) }), same: false };
  }
  return undefined;
}

/** A link, a button, or a disabled button: whatever `element.click` asks for and may have. */
export function clickable(element, label, tap, props, ...extra) {
  const message = said(element, label);
  const opens = target(element);
  const title = element.tooltip && element.tooltip !== label ? words(element.tooltip) : null;
  const caption = label ? [el("span", { class: "rich-label", text: label })] : [];
  const speak = message && { click: () => tap(message) };
  if (opens?.address) {
    const own = { ...props, title, on: speak };
    if (opens.same && /^https?:/.test(opens.address)) return el("a", { ...own, href: opens.address }, ...caption, ...extra);
    return outward(opens.address, own, ...caption, ...extra, label && icon("i-out"));
  }
  if (opens) {
    const why = hidden(" (this address cannot be opened from here)");
    return el("button", { ...props, type: "button", disabled: true, title: "This address cannot be opened" }, ...caption, ...extra, why);
  }
  return el("button", { ...props, type: "button", title, disabled: !message, on: speak }, ...caption, ...extra);
}

/** The quick replies of a message as buttons. */
export function quickReplies(content, tap) {
  const replies = Array.isArray(content?.replies) ? content.replies : [];
  return replies
    .filter((reply) => reply && typeof reply === "object")
    .map((reply) => clickable(reply, words(reply.title), tap, { class: "quick-reply" }));
}
