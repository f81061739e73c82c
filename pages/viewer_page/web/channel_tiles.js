import { fetch } from "./server.js";

/** Viewer options: enough tiles under way to fill an answer, and patience for it. */
export const CHANNEL_OPTIONS = { imageLoaderLimit: 16, maxTilesPerFrame: 16, timeout: 120_000 };

/**
 * A tile that is being loaded, as OpenSeadragon hands it out.
 *
 * @typedef {object} Job
 * @property {string} src
 * @property {unknown} jobId nothing once it has run out of time
 * @property {{stop?: AbortController}} userData
 * @property {(data: unknown, request: unknown, type: string) => void} finish
 * @property {(reason: string, request: unknown) => void} fail
 */

/** What OpenSeadragon calls on a tile source to load a tile that has no address of its own. */
export const CHANNEL_DOWNLOADS = {
  /** @param {Job} job */
  downloadTileStart(job) {
    const stop = (job.userData.stop = new AbortController());
    // A job that has run out of time has failed already.
    const fail = (/** @type {string} */ reason) => job.jobId && job.fail(reason, null);
    fetch(job.src, { signal: stop.signal })
      .then(async (answer) => {
        if (answer.ok) job.finish(await answer.blob(), null, "rasterBlob");
        else fail(await answer.text());
      })
      .catch((error) => stop.signal.aborted || fail(error.message));
  },

  /** @param {Job} job */
  downloadTileAbort(job) {
    job.userData.stop?.abort();
  },
};
