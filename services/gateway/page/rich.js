// LivePerson rich content as elements of the page. Unknown elements are named, never dropped in silence.

import { clickable, mapAddress } from "./actions.js";
import { carousel } from "./carousel.js";
import { el, icon, imageAddress, inside, linked, outward, words } from "./dom.js";
import { accordion, choices, list, tabs } from "./forms.js";
import { dress } from "./styles.js";

const DEEPEST = 12;

/** Draws `content`; `tap({text, payload, metadata})` is called when the consumer chooses something. */
export function rich(content, tap) {
  return el("div", { class: "rich" }, draw(content, { tap, depth: 0 }));
}

function draw(element, context) {
  if (!element || typeof element !== "object" || context.depth > DEEPEST) return unknown("nothing");
  const deeper = { ...context, depth: context.depth + 1, draw };
  return (KINDS.get(element.type) ?? other)(element, deeper);
}

// A Map, since a bot's type may be the name of what every object has (`constructor`).
const KINDS = new Map(Object.entries({
  text, button, image, map, linkPreview, keyValuePairList, template, list,
  vertical: box("rich-vertical"),
  horizontal: box("rich-horizontal"),
  carousel,
  carouselSelect: choices,
  accordionSelect: accordion,
  tabs,
}));

function unknown(type) {
  return el("p", { class: "rich-unknown" }, icon("i-warning"), `This page cannot show “${type}” content.`);
}

const other = (element) => unknown(words(element.type) || "unnamed");

function text(element, { tap }) {
  const value = words(element.text);
  const tag = element.tag === "title" || element.tag === "subtitle" ? ` rich-${element.tag}` : "";
  const props = { class: `rich-text${tag}`, dir: element.rtl === true ? "rtl" : "auto" };
  const node = element.click ? clickable(element, value, tap, props) : el("p", props, ...linked(value));
  dress(node, element.style);
  return node;
}

function button(element, { tap }) {
  const subtitle = element.subtitle ? el("span", { class: "rich-button-sub", text: words(element.subtitle) }) : null;
  const kind = element.class === "text" ? "rich-link" : "rich-button";
  const node = clickable(element, words(element.title), tap, { class: kind }, subtitle);
  dress(node, element.style);
  return node;
}

function image(element, { tap }) {
  const caption = words(element.caption);
  const alt = words(element.alt ?? (element.tooltip === "image" ? "" : element.tooltip)) || caption;
  const address = imageAddress(element.url);
  const frame = el("span", { class: "rich-image-frame" });
  const instead = alt === caption && caption ? "" : alt || "The picture could not be loaded";
  const missing = () => frame.replaceChildren(icon("i-image"), instead);
  if (address) frame.append(el("img", { src: address, alt, loading: "lazy", decoding: "async", on: { error: missing } }));
  else missing();
  const parts = [frame, caption && el("span", { class: "rich-caption", text: caption, "aria-hidden": caption === alt && Boolean(address) })];
  if (!element.click) return el("div", { class: "rich-image" }, ...parts);
  const node = clickable(element, "", tap, { class: "rich-image" }, ...parts);
  if (!alt) node.setAttribute("aria-label", words(element.tooltip) || "Picture");
  return node;
}

function map(element, { tap }) {
  const place = { la: Number(element.la), lo: Number(element.lo) };
  if (!Number.isFinite(place.la) || !Number.isFinite(place.lo)) return unknown("map");
  const name = words(element.tooltip) || "Map";
  const label = `${place.la.toFixed(4)}, ${place.lo.toFixed(4)}`;
  const drawing = el("span", { class: "rich-map-art" }, icon("map-art", "map-art"), icon("i-pin", "map-pin"));
  const caption = el("span", { class: "rich-map-text" }, el("span", { class: "rich-map-name", text: name }), el("span", { text: label }));
  if (element.click?.actions?.length) return clickable(element, "", tap, { class: "rich-map" }, drawing, caption);
  return outward(mapAddress(place), { class: "rich-map" }, drawing, caption);
}

function linkPreview(element, { tap }) {
  const title = words(element.title) || words(element.url);
  const click = { actions: [{ type: "link", uri: element.url }] };
  return clickable({ ...element, click }, title, tap, { class: "rich-link" });
}

function keyValuePairList(element) {
  const rows = inside(element).map((pair) =>
    el("div", {}, el("dt", { text: words(pair?.key) }), el("dd", { text: words(pair?.value) })));
  return el("dl", { class: "rich-pairs" }, ...rows);
}

function template(element, { tap }) {
  const answers = (Array.isArray(element.resp) ? element.resp : []).map((title) =>
    clickable({ click: { actions: [{ type: "publishText", text: title }] } }, words(title), tap, { class: "rich-button" }));
  return el("div", { class: "rich-vertical" }, el("p", { class: "rich-text" }, ...linked(words(element.title))), ...answers);
}

function box(className) {
  return (element, context) => {
    const plain = element.border === "borderLess" ? " is-borderless" : "";
    const lifted = element.border === "dropShadow" ? " is-lifted" : "";
    return el("div", { class: className + plain + lifted }, ...inside(element).map((child) => context.draw(child, context)));
  };
}
