// Builds elements. Everything that people, bots or APIs wrote enters the page here, and only as text nodes.

const SVG = "http://www.w3.org/2000/svg";
const SCHEMES = new Set(["http:", "https:", "tel:", "mailto:"]);
const ADDRESS = /https?:\/\/[^\s<>"']+/g;

/** An element: `props` may hold class, text, on (listeners) and any attribute; null and false leave one out. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") node.className = value;
    else if (name === "text") node.textContent = value;
    else if (name === "on") for (const [type, listener] of Object.entries(value)) node.addEventListener(type, listener);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** A drawing of the page's own sprite. */
export function icon(name, className = "icon") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", className);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#${name}`);
  svg.append(use);
  return svg;
}

/** What JSON from outside says, as text; never through an object's own `toString`. */
export function words(value) {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** The elements inside an element of rich content. */
export const inside = (element) => (Array.isArray(element?.elements) ? element.elements : []);

/** Words that only screen readers meet. */
export const hidden = (text) => el("span", { class: "hidden", text });

/** The address if it may be opened from here, else null: http, https, tel and mailto. */
export function safeAddress(address) {
  try {
    const url = new URL(words(address));
    return SCHEMES.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** The address of a picture the content security policy lets through, else null. */
export function imageAddress(address) {
  try {
    const url = new URL(words(address), document.baseURI);
    if (url.protocol === "https:" || url.origin === location.origin) return url.href;
    return url.protocol === "data:" && url.pathname.startsWith("image/") ? url.href : null;
  } catch {
    return null;
  }
}

/** A link that leaves the page: it never hands over the opener, and says that it opens a new window. */
export function outward(address, props, ...children) {
  const web = /^https?:/.test(address);
  const attributes = web ? { href: address, target: "_blank", rel: "noopener noreferrer" } : { href: address };
  return el("a", { ...attributes, ...props }, ...children, web && hidden(" (opens in a new window)"));
}

/** Text with its web addresses as links. */
export function linked(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = match[0].replace(/[.,;:!?)\]}]+$/, "");
    const safe = safeAddress(address);
    if (!safe) continue;
    parts.push(text.slice(end, match.index), outward(safe, {}, address));
    end = match.index + address.length;
  }
  parts.push(text.slice(end));
  return parts.filter((part) => part !== "");
}
