/** OpenSeadragon, from this server where npm has installed it, else from the CDN; once a page. */

let library;

export function loadOpenSeadragon({ sources, integrity }) {
  library ??= firstOf(sources, integrity).then(() => globalThis.OpenSeadragon);
  return library;
}

async function firstOf(sources, integrity) {
  for (const source of sources) {
    if (await addScript(new URL(source, document.baseURI).href, integrity)) return;
  }
  library = undefined;
  throw new Error(
    "OpenSeadragon, which draws the slide, could not be loaded; " +
      "run “npm install” where the dashboard runs, or allow it to reach cdn.jsdelivr.net.",
  );
}

function addScript(src, integrity) {
  return new Promise((resolve) => {
    const script = document.createElement("script");
    Object.assign(script, { src, integrity, crossOrigin: "anonymous" });
    script.onload = () => resolve(true);
    script.onerror = () => resolve(false);
    document.head.append(script);
  });
}
