// Rich content that collects an answer before it says something: the list family, card choices, accordions, tabs.

import { row } from "./carousel.js";
import { el, icon, inside, linked, words } from "./dom.js";

let groups = 0;

const groupName = () => `choice-${(groups += 1)}`;

function published(element) {
  const action = element?.click?.actions?.find?.((one) => one?.type === "checked" || one?.type === "publishText");
  return words(action?.publishText ?? action?.text ?? element?.text ?? element?.title);
}

function metadata(elements) {
  const all = elements.flatMap((element) => (Array.isArray(element?.click?.metadata) ? element.click.metadata : []));
  return all.length ? { metadata: all } : {};
}

function option(element, type, name, ...label) {
  const input = el("input", { type, name });
  input.source = element;
  return el("label", { class: "choice" }, input, el("span", {}, ...label));
}

/** A form that says what was chosen, then stays as it was answered. */
function answer(body, buttons, tap) {
  const submit = inside(buttons).find((button) => button?.type === "submitButton") ?? { title: "Send" };
  const form = el("form", { class: "rich-form" }, ...body, el("button", { type: "submit", class: "rich-button", text: words(submit.title) || "Send" }));
  const button = form.lastElementChild;
  const update = () => (button.disabled = !form.querySelector("input:checked"));
  form.addEventListener("change", update);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const chosen = [...form.querySelectorAll("input:checked")].map((input) => input.source);
    if (!chosen.length) return;
    const text = chosen.map(published).join(", ").slice(0, 8000);
    tap({ text, payload: text, ...metadata([...chosen, submit]) });
  });
  update();
  return form;
}

/** {type: "list"}: a text, sections of check boxes, and buttons. */
export function list(element, { tap }) {
  const parts = inside(element);
  const heading = parts.find((part) => part?.type === "text");
  const sections = inside(parts.find((part) => part?.type === "sectionList")).map(section);
  const body = [heading && el("p", { class: "rich-text" }, ...linked(words(heading.text))), ...sections];
  return answer(body.filter(Boolean), parts.find((part) => part?.type === "buttonList"), tap);
}

function section(element) {
  const parts = inside(element);
  const title = parts.find((part) => part?.type === "text");
  const boxes = inside(parts.find((part) => part?.type === "checklist"));
  const name = groupName();
  return el("fieldset", { class: "choices" },
    el("legend", { text: words(title?.text) || "Choices" }),
    ...boxes.map((box) => option(box, "checkbox", name, words(box?.text))));
}

/** {type: "carouselSelect"}: cards, one or several of which can be chosen. */
export function choices(element, context) {
  const type = element.selectMode?.type === "single" ? "radio" : "checkbox";
  const name = groupName();
  const cards = inside(element).map((card, index) =>
    el("li", { class: "card" }, context.draw(card, context),
      option({ ...card, title: cardTitle(card) || `${index + 1}` }, type, name, cardTitle(card) || `Choice ${index + 1}`)));
  return answer([row(cards, words(element.selectMode?.name) || "Cards to choose from")], element, context.tap);
}

function cardTitle(card) {
  if (card?.type === "text") return words(card.text);
  for (const child of inside(card)) {
    const title = cardTitle(child);
    if (title) return title;
  }
  return "";
}

/** {type: "accordionSelect"}: parts that open one by one. */
export function accordion(element, context) {
  const titles = Array.isArray(element.titles) ? element.titles : [];
  const parts = inside(element).map((part, index) =>
    el("details", { class: "rich-fold" },
      el("summary", {}, icon("i-right"), words(titles[index]?.name) || `Part ${index + 1}`),
      context.draw(part, context)));
  return el("div", { class: "rich-vertical" }, ...parts);
}

/** {type: "tabs"}: shown as parts that open, which reads well at any width; the first is open. */
export function tabs(element, context) {
  const titles = inside(element).map((part, index) => ({ name: words(part?.name ?? part?.title ?? part?.tag) || `Tab ${index + 1}` }));
  const node = accordion({ ...element, titles }, context);
  node.firstElementChild?.setAttribute("open", "");
  return node;
}
