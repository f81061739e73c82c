/** Shows crops of nuclei as buttons; a click tells the page which nucleus is wanted. */

/** @typedef {{id: number, score: string, picture: string}} Crop */
/** @typedef {(name: string, value: unknown) => void} Tell */

/** @param {{data: {colour: string, crops: Crop[]}, parentElement: HTMLElement, setTriggerValue: Tell}} component */
export default function ({ data, parentElement, setTriggerValue }) {
  const gallery = /** @type {HTMLElement} */ (parentElement.querySelector(".gallery"));
  gallery.style.setProperty("--class-colour", data.colour);
  gallery.replaceChildren(...data.crops.map((crop) => buttonOf(crop, setTriggerValue)));
}

/**
 * @param {Crop} crop
 * @param {Tell} setTriggerValue
 */
function buttonOf({ id, score, picture }, setTriggerValue) {
  const button = document.createElement("button");
  button.title = `Nucleus ${id}: open in the viewer`;
  button.addEventListener("click", () => setTriggerValue("opened", id));
  const image = document.createElement("img");
  image.src = picture;
  image.alt = `Nucleus ${id}`;
  const caption = document.createElement("span");
  caption.textContent = score;
  button.append(image, caption);
  return button;
}
