/** Shows crops of nuclei as buttons; a click tells the page which nucleus is wanted. */

export default function ({ data, parentElement, setTriggerValue }) {
  const gallery = parentElement.querySelector(".gallery");
  gallery.style.setProperty("--class-colour", data.colour);
  gallery.replaceChildren(...data.crops.map((crop) => button(crop, setTriggerValue)));
}

function button({ id, score, picture }, setTriggerValue) {
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
