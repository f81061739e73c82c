const READING_MS = 6000;

/** A sentence at the top of the slide: of the tool in hand, or of what has just happened. */
export class Hints {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    this.kept = "";
  }

  /**
   * Show a sentence until the next one is to be kept; none hides it.
   *
   * @param {string} sentence
   */
  keep(sentence) {
    this.kept = sentence;
    this.#show(sentence);
  }

  /**
   * Show a sentence for a while.
   *
   * @param {string} sentence
   */
  tell(sentence) {
    this.#show(sentence);
    this.#timer = setTimeout(() => this.#show(this.kept), READING_MS);
  }

  /** @param {string} sentence */
  #show(sentence) {
    clearTimeout(this.#timer);
    this.element.textContent = sentence;
    this.element.hidden = !sentence;
  }
}
