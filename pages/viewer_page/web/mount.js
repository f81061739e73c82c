import { Channel } from "./channel.js";

/** @import {SlideViewer} from "./slide_viewer.js" */
/** @import {Tell, ViewerData} from "./types.d.ts" */

/**
 * Sent to the page with the component; brings the viewer's modules from the server.
 *
 * Streamlit calls the default export again whenever the data change, always with the same
 * parentElement: the viewer is made once a slide, then updated.
 */

/** @typedef {{url: string, viewer: Promise<SlideViewer>, channel: Channel, unused: Node}} Mount */

/** @type {WeakMap<HTMLElement, Mount>} */
const mounts = new WeakMap();

/**
 * Modules by their address, with all that they hold: once a page, however they have come.
 *
 * @type {Map<string, typeof import("./slide_viewer.js")>}
 */
const modules = new Map();

/** @param {{data: ViewerData, parentElement: HTMLElement, setStateValue: Tell}} component */
export default function ({ data, parentElement, setStateValue }) {
  let mount = mounts.get(parentElement);
  // A new address for the same slide: the server has forgotten the old one, so start again.
  if (mount && mount.url !== data.slide.url) mount = stop(parentElement, mount);
  mount ??= start(parentElement, data, setStateValue);
  mount.channel.take(data.answers);
  mount.viewer.then((viewer) => viewer.update(data)).catch((error) => tell(parentElement, error));

  // Streamlit also cleans up after a call that a newer one has overtaken; only a parent that has
  // left the page is over.
  const shown = mount;
  return () => setTimeout(() => parentElement.isConnected || stop(parentElement, shown), 0);
}

/**
 * @param {HTMLElement} parentElement
 * @param {ViewerData} data
 * @param {Tell} setStateValue
 * @returns {Mount}
 */
function start(parentElement, data, setStateValue) {
  const unused = section(parentElement).cloneNode(true);
  tell(parentElement, null);
  const channel = new Channel((question) => setStateValue("ask", question));
  const viewer = load(data.modules, channel).then(({ SlideViewer }) =>
    SlideViewer.open(parentElement, data, setStateValue, channel),
  );
  const mount = { url: data.slide.url, viewer, channel, unused };
  mounts.set(parentElement, mount);
  return mount;
}

/**
 * What a viewer has moved into its canvas goes with it: the next one finds the elements as they were.
 *
 * @param {HTMLElement} parentElement
 * @param {Mount} mount
 * @returns {undefined}
 */
function stop(parentElement, mount) {
  if (mounts.get(parentElement) === mount) {
    mounts.delete(parentElement);
    mount.channel.close();
    section(parentElement).replaceWith(mount.unused);
    mount.viewer.then((viewer) => viewer.close()).catch(() => {}); // it never opened: already told
  }
}

/**
 * Bring the viewer from its own address or, where a host answers that otherwise, by the channel.
 *
 * @param {string} address
 * @param {Channel} channel
 */
async function load(address, channel) {
  const { href } = new URL(address, document.baseURI);
  const module = modules.get(href) ?? (await import(href).catch(() => importThrough(channel, href)));
  modules.set(href, module);
  return module;
}

/**
 * Modules that no address answers can import each other all the same: as blobs.
 *
 * @param {Channel} channel
 * @param {string} first
 */
async function importThrough(channel, first) {
  /** @type {Map<string, Promise<string>>} */
  const urls = new Map();
  const urlOf = (/** @type {string} */ href) => {
    const url = urls.get(href) ?? make(href);
    urls.set(href, url);
    return url;
  };
  const make = async (/** @type {string} */ href) => {
    const answer = await channel.fetch(href);
    let text = await answer.text();
    if (!answer.ok) throw new Error(text);
    const names = [...text.matchAll(/ from "(\.\/[^"]+)";/g)].map(([, name]) => name);
    const blobs = await Promise.all(names.map((name) => urlOf(new URL(name, href).href)));
    names.forEach((name, index) => {
      text = text.replace(` from "${name}";`, ` from "${blobs[index]}";`);
    });
    return URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  };
  return import(await urlOf(first));
}

/** @param {HTMLElement} parentElement */
function section(parentElement) {
  return /** @type {HTMLElement} */ (parentElement.querySelector("section.viewer"));
}

/**
 * @param {HTMLElement} parentElement
 * @param {Error | null} error
 */
function tell(parentElement, error) {
  const notice = /** @type {HTMLElement} */ (parentElement.querySelector(".notice"));
  notice.textContent = error?.message ?? "";
  notice.hidden = !error;
}
