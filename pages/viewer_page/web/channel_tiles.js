import { fetch } from "./server.js";

/** Viewer options: enough tiles under way to fill an answer, and patience for it. */
export const CHANNEL_OPTIONS = { imageLoaderLimit: 16, maxTilesPerFrame: 16, timeout: 120_000 };

/** What OpenSeadragon calls on a tile source to load a tile that has no address of its own. */
export const CHANNEL_DOWNLOADS = {
  downloadTileStart(job) {
    const stop = (job.userData.stop = new AbortController());
    // A job that has run out of time has failed already.
    const fail = (reason) => job.jobId && job.fail(reason, null);
    fetch(job.src, { signal: stop.signal })
      .then(async (answer) => {
        if (answer.ok) job.finish(await answer.blob(), null, "rasterBlob");
        else fail(await answer.text());
      })
      .catch((error) => stop.signal.aborted || fail(error.message));
  },

  downloadTileAbort(job) {
    job.userData.stop.abort();
  },
};
