/**
 * What the reader has switched, by name; it outlasts runs, pages and a reload of the tab.
 *
 * @template T
 */
export class Choices {
  /** @param {string} name of all of them */
  constructor(name) {
    this.name = `viewer.${name}`;
    /** @type {Record<string, T>} */
    this.kept = JSON.parse(sessionStorage.getItem(this.name) ?? "{}");
  }

  /**
   * @param {string} key
   * @returns {T | undefined}
   */
  get(key) {
    return this.kept[key];
  }

  /**
   * @param {string} key
   * @param {T} value
   */
  set(key, value) {
    this.kept[key] = value;
    sessionStorage.setItem(this.name, JSON.stringify(this.kept));
  }
}
