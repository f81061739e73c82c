const READING_MS = 6000;

/** A sentence at the top of the slide: of the tool in hand, or of what has just happened. */
export class Hints {
  #timer;

  constructor(element) {
    this.element = element;
    this.kept = "";
  }

  /** Show a sentence until the next one is to be kept; none hides it. */
  keep(sentence) {
    this.kept = sentence;
    this.#show(sentence);
  }

  /** Show a sentence for a while. */
  tell(sentence) {
    this.#show(sentence);
    this.#timer = setTimeout(() => this.#show(this.kept), READING_MS);
  }

  #show(sentence) {
    clearTimeout(this.#timer);
    this.element.textContent = sentence;
    this.element.hidden = !sentence;
  }
}
