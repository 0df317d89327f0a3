// A row of cards to leaf through: by swiping, by the two buttons, or with the arrow keys once it has the focus.

import { el, hidden, icon, inside } from "./dom.js";

let count = 0;

/** Draws {type: "carousel", elements}; `context.draw` draws each card. */
export function carousel(element, context) {
  const cards = inside(element).map((card, index, all) =>
    el("li", { class: "card", "aria-label": `${index + 1} of ${all.length}` }, context.draw(card, context)));
  return row(cards, `Cards, ${cards.length} in a row`);
}

/** A scrolling row of list items with buttons for both directions. */
export function row(cards, label) {
  count += 1;
  const id = `row-${count}`;
  const track = el("ul", { class: "cards", id, tabindex: "0", "aria-label": label }, ...cards);
  const step = (direction) => () => {
    const width = cards[0]?.getBoundingClientRect().width ?? track.clientWidth;
    track.scrollBy({ left: direction * (width + 12), behavior: calm() ? "auto" : "smooth" });
  };
  const back = arrow("i-left", "Previous cards", id, step(-1));
  const on = arrow("i-right", "Next cards", id, step(1));
  const update = () => {
    back.disabled = track.scrollLeft < 4;
    on.disabled = track.scrollLeft + track.clientWidth > track.scrollWidth - 4;
    tools.hidden = back.disabled && on.disabled;
  };
  const tools = el("div", { class: "cards-tools" }, back, on);
  track.addEventListener("scroll", update, { passive: true });
  new ResizeObserver(update).observe(track);
  return el("div", { class: "carousel", role: "group", "aria-roledescription": "carousel", "aria-label": label }, track, tools);
}

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

function arrow(name, label, controls, click) {
  return el("button", { type: "button", class: "arrow", "aria-controls": controls, on: { click } }, icon(name), hidden(label));
}
