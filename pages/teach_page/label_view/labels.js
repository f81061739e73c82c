/**
 * Labels nuclei by the keyboard. Nothing waits for the server: what was answered is kept in a log
 * that only grows and is sent as a whole, some moments after the last key, so that no answer is lost
 * when one message overtakes another.
 */

/** @typedef {{name: string | null, label: string, colour: string, key: string}} Choice `key` may be "" */
/** @typedef {{picture: string, name: string}} Nucleus */
/** @typedef {{nucleus: number, name: string | null}} Answer */
/** @typedef {{screen: string, revision: number, choices: Choice[], nuclei: Nucleus[], answered: Answer[]}} LabelData */
/** @typedef {{mount: string, screen: string, log: (Answer | "undo")[], more: boolean}} Said */
/** @typedef {(name: string, value: Said) => void} Tell */

const PATIENCE_MS = 700;

/** @type {Record<string, string>} */
const CAPS = { " ": "Space", Backspace: "⌫", Enter: "⏎" };

/** @type {WeakMap<HTMLElement, LabelScreen>} */
const screens = new WeakMap();

/** @param {{data: LabelData, parentElement: HTMLElement, setStateValue: Tell}} component */
export default function ({ data, parentElement, setStateValue }) {
  const before = screens.get(parentElement);
  if (before?.name === nameOf(data)) return;
  const screen = new LabelScreen(parentElement, data, setStateValue);
  screens.set(parentElement, screen);
  before?.close();
}

/** @param {LabelData} data */
function nameOf(data) {
  return JSON.stringify([data.screen, data.revision, data.choices]);
}

/** What was answered on a screen, where one is, and what is to be told of it. */
export class Answers {
  /**
   * @param {number} count
   * @param {Answer[]} answered
   */
  constructor(count, answered) {
    this.count = count;
    this.current = 0;
    /** @type {Answer[]} */
    this.given = [...answered];
    /** @type {(Answer | "undo")[]} */
    this.log = [];
    this.current = this.#nextOpen(0);
  }

  /**
   * The answer of a nucleus that counts; undefined where it has none.
   *
   * @param {number} nucleus
   */
  of(nucleus) {
    return this.given.findLast((each) => each.nucleus === nucleus);
  }

  /** How many nuclei have an answer. */
  get done() {
    return new Set(this.given.map(({ nucleus }) => nucleus)).size;
  }

  /** @param {string | null} name */
  give(name) {
    const answer = { nucleus: this.current, name };
    this.given.push(answer);
    this.log.push(answer);
    this.current = this.#nextOpen(this.current + 1);
  }

  /** Take back the last answer and go to its nucleus; false where there is none. */
  undo() {
    const last = this.given.pop();
    if (!last) return false;
    this.log.push("undo");
    this.current = last.nucleus;
    return true;
  }

  /** @param {number} nucleus */
  goTo(nucleus) {
    this.current = Math.min(Math.max(0, nucleus), this.count - 1);
  }

  /**
   * The next nucleus without an answer, the first of them after the last.
   *
   * @param {number} from
   */
  #nextOpen(from) {
    for (let step = 0; step < this.count; step += 1) {
      const nucleus = (from + step) % this.count;
      if (!this.of(nucleus)) return nucleus;
    }
    return Math.min(from, this.count - 1);
  }
}

/** One screen of nuclei, on the page. */
class LabelScreen {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #mount = crypto.getRandomValues(new Uint32Array(2)).join("-");
  #listening = new AbortController();

  /**
   * @param {HTMLElement} parent
   * @param {LabelData} data
   * @param {Tell} tell
   */
  constructor(parent, data, tell) {
    this.name = nameOf(data);
    this.data = data;
    this.tell = tell;
    this.answers = new Answers(data.nuclei.length, data.answered);
    this.section = /** @type {HTMLElement} */ (parent.querySelector(".labels"));
    this.keys = /** @type {HTMLElement} */ (parent.querySelector(".keys"));
    this.told = /** @type {HTMLElement} */ (parent.querySelector(".told"));
    const place = /** @type {HTMLElement} */ (parent.querySelector(".nuclei"));
    this.place = place;
    this.buttons = data.nuclei.map((nucleus, number) => this.#buttonOf(nucleus, number));
    place.replaceChildren(...this.buttons);
    this.keys.replaceChildren(
      ...data.choices.map((choice) => this.#answerOf(choice)),
      this.#keyOf(" ", "as it is"),
      this.#keyOf("Backspace", "take back"),
      this.#keyOf("Enter", `next ${data.nuclei.length}`),
    );
    this.section.addEventListener("keydown", (event) => this.#onKey(event), {
      signal: this.#listening.signal,
    });
    this.#show();
    this.section.focus({ preventScroll: true });
  }

  close() {
    this.#listening.abort();
    this.#send(false);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (!this.#act(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /**
   * Do what a key stands for; false where it stands for nothing.
   *
   * @param {string} key
   */
  #act(key) {
    const choice = this.data.choices.find((each) => each.key === key);
    const here = this.answers.current;
    const steps = this.#steps().get(key);
    if (choice) this.#answer(choice.name);
    else if (key === " ") this.#answer(this.data.nuclei[here].name);
    else if (key === "Backspace") this.#take(this.answers.undo());
    else if (key === "Enter") this.#send(true);
    else if (steps) this.answers.goTo(here + steps);
    else return false;
    this.#show();
    return true;
  }

  #steps() {
    const columns = getComputedStyle(this.place).gridTemplateColumns.split(" ").length;
    return new Map([
      ["ArrowLeft", -1],
      ["ArrowRight", 1],
      ["ArrowUp", -columns],
      ["ArrowDown", columns],
    ]);
  }

  /** @param {string | null} name */
  #answer(name) {
    this.answers.give(name);
    this.#take(true);
  }

  /** @param {boolean} changed */
  #take(changed) {
    if (!changed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#send(false), PATIENCE_MS);
  }

  /** @param {boolean} more */
  #send(more) {
    const waits = this.#timer !== undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!waits && !more) return;
    const { log } = this.answers;
    this.tell("said", { mount: this.#mount, screen: this.data.screen, log: [...log], more });
    if (more) this.told.textContent = "Looking for the nuclei that teach most …";
  }

  #show() {
    this.buttons.forEach((button, number) => this.#showOne(button, number));
    const { done, count } = this.answers;
    const rest = done === count ? "; Enter brings the next" : "";
    this.told.textContent = `${done} of ${count} answered${rest}.`;
  }

  /**
   * @param {HTMLButtonElement} button
   * @param {number} number
   */
  #showOne(button, number) {
    const answer = this.answers.of(number);
    const choice = answer && this.data.choices.find(({ name }) => name === answer.name);
    const called = choice?.label ?? this.data.nuclei[number].name;
    const caption = /** @type {HTMLElement} */ (button.lastChild);
    caption.textContent = called;
    button.ariaLabel = answer
      ? `Nucleus ${number + 1}: answered ${called}`
      : `Nucleus ${number + 1}: ${called}?`;
    button.ariaCurrent = String(number === this.answers.current);
    button.toggleAttribute("data-answered", Boolean(answer));
    button.style.setProperty("--class-colour", choice?.colour ?? "");
  }

  /**
   * @param {Nucleus} nucleus
   * @param {number} number
   */
  #buttonOf({ picture }, number) {
    const button = document.createElement("button");
    button.tabIndex = -1;
    const image = document.createElement("img");
    image.src = picture;
    image.alt = "";
    button.append(image, document.createElement("span"));
    button.addEventListener("click", () => {
      this.answers.goTo(number);
      this.#show();
      this.section.focus({ preventScroll: true });
    });
    return button;
  }

  /** @param {Choice} choice */
  #answerOf({ key, label, colour, name }) {
    const swatch = document.createElement("i");
    swatch.style.setProperty("--class-colour", colour);
    const act = () => {
      this.#answer(name);
      this.#show();
    };
    return this.#buttonDoing(act, [...(key ? [capOf(key)] : []), swatch, label]);
  }

  /**
   * @param {string} key
   * @param {string} label
   */
  #keyOf(key, label) {
    return this.#buttonDoing(() => this.#act(key), [capOf(key), label]);
  }

  /**
   * @param {() => void} act
   * @param {(Node | string)[]} shown
   */
  #buttonDoing(act, shown) {
    const button = document.createElement("button");
    button.tabIndex = -1;
    button.append(...shown);
    button.addEventListener("click", () => {
      act();
      this.section.focus({ preventScroll: true });
    });
    return button;
  }
}

/** @param {string} key */
function capOf(key) {
  const cap = document.createElement("kbd");
  cap.textContent = CAPS[key] ?? key;
  return cap;
}
