// How far a bot may colour its content: as long as it stays readable (WCAG AA), in light and in dark.

const READABLE = 4.5;
const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

function channels(colour) {
  if (typeof colour !== "string" || !CSS.supports("color", colour)) return null;
  probe.clearRect(0, 0, 1, 1);
  probe.fillStyle = colour;
  probe.fillRect(0, 0, 1, 1);
  const [red, green, blue, alpha] = probe.getImageData(0, 0, 1, 1).data;
  return alpha === 255 ? [red, green, blue] : null;
}

function luminance(rgb) {
  const [red, green, blue] = rgb.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** The contrast ratio of two opaque colours, 1 to 21. */
export function contrast(one, other) {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

/** Applies the style of a rich-content element. A text colour alone is left out: the page knows no safe ground for it. */
export function dress(node, style) {
  if (!style || typeof style !== "object") return;
  if (style.bold === true) node.classList.add("is-bold");
  if (style.italic === true) node.classList.add("is-italic");
  if (["small", "medium", "large"].includes(style.size)) node.classList.add(`is-${style.size}`);
  const ground = channels(style["background-color"]);
  if (!ground) return;
  const wanted = channels(style.color);
  const readable = wanted && contrast(wanted, ground) >= READABLE;
  const white = contrast([255, 255, 255], ground) >= contrast([0, 0, 0], ground);
  node.classList.add("is-coloured");
  node.style.backgroundColor = style["background-color"];
  node.style.color = readable ? style.color : white ? "#fff" : "#000";
}
