// The message field: grows with its text and sends with Enter.

/** The form with its field and button; `say(text)` is called with what was written. */
export class Composer {
  #form;
  #field;
  #button;
  #say;

  constructor({ form, field, button, say }) {
    this.#form = form;
    this.#field = field;
    this.#button = button;
    this.#say = say;
    field.addEventListener("input", () => this.#fit());
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
  }

  /** Lets people write, or takes the field away. */
  enable(on) {
    this.#form.hidden = !on;
    this.#field.disabled = !on;
    this.#fit();
  }

  #send() {
    const text = this.#field.value.trim();
    if (!text || this.#field.disabled) return;
    this.#field.value = "";
    this.#fit();
    this.#say(text);
    this.#field.focus();
  }

  #fit() {
    this.#button.disabled = this.#field.disabled || !this.#field.value.trim();
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight}px`;
  }
}
