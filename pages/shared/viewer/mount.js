/**
 * Sent to the page with the component; brings the viewer's modules from the tile server.
 *
 * Streamlit calls the default export again whenever the data change, always with the same
 * parentElement: the viewer is made once a slide, then updated.
 */

const mounts = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  let mount = mounts.get(parentElement);
  // A new address for the same slide: the server has forgotten the old one, so start again.
  if (mount && mount.url !== data.slide.url) mount = stop(parentElement, mount);
  mount ??= start(parentElement, data, setStateValue);
  mount.viewer.then((viewer) => viewer.update(data)).catch((error) => tell(parentElement, error));

  // Streamlit also cleans up after a call that a newer one has overtaken; only a parent that has
  // left the page is over.
  return () => setTimeout(() => parentElement.isConnected || stop(parentElement, mount), 0);
}

function start(parentElement, data, setStateValue) {
  tell(parentElement, null);
  const viewer = load(data).then(({ SlideViewer }) =>
    SlideViewer.open(parentElement, data, setStateValue),
  );
  const mount = { url: data.slide.url, viewer };
  mounts.set(parentElement, mount);
  return mount;
}

function stop(parentElement, mount) {
  if (mounts.get(parentElement) === mount) {
    mounts.delete(parentElement);
    mount.viewer.then((viewer) => viewer.close()).catch(() => {}); // it never opened: already told
  }
}

async function load(data) {
  try {
    return await import(new URL(data.modules, document.baseURI).href);
  } catch (cause) {
    throw new Error(
      "This server does not answer the viewer's own addresses; " +
        "start the dashboard with “streamlit run streamlit_app.py”.",
      { cause },
    );
  }
}

function tell(parentElement, error) {
  const notice = parentElement.querySelector(".notice");
  notice.textContent = error?.message ?? "";
  notice.hidden = !error;
}
