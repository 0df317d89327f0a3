// Where the person looks: follows new messages unless they scrolled back, and keeps the focus in a useful place.

const NEAR = 80;

/** Follows `scroller` as `log` grows; `newer` is the button that leads back to the end. */
export class View {
  #scroller;
  #newer;
  #field;
  #following = true;
  #top = 0;

  constructor({ scroller, newer, field }) {
    this.#scroller = scroller;
    this.#newer = newer;
    this.#field = field;
    scroller.addEventListener("scroll", () => this.#look(), { passive: true });
    newer.addEventListener("click", () => {
      this.toEnd();
      this.refocus();
    });
    const follow = new ResizeObserver(() => this.#following && this.#jump());
    for (const child of [scroller, ...scroller.children]) follow.observe(child);
  }

  /** Something was added: keep up, or offer the way to it. */
  grown() {
    if (this.#following) this.#jump();
    else this.#newer.hidden = false;
  }

  /** Goes to the last message. */
  toEnd() {
    this.#following = true;
    this.#newer.hidden = true;
    this.#jump();
  }

  /** The focused control went away: the message field takes over, unless that would raise an on-screen keyboard. */
  refocus() {
    const target = matchMedia("(pointer: coarse)").matches || this.#field.disabled ? this.#scroller : this.#field;
    target.focus({ preventScroll: true });
  }

  #jump() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  // Only going back ends the following: the view may also have become smaller, by a notice or a keyboard.
  #look() {
    const { scrollTop, clientHeight, scrollHeight } = this.#scroller;
    if (scrollTop + clientHeight > scrollHeight - NEAR) this.#following = true;
    else if (scrollTop < this.#top) this.#following = false;
    this.#top = scrollTop;
    if (this.#following) this.#newer.hidden = true;
  }
}
