/** What the reader has switched, by name; it outlasts runs, pages and a reload of the tab. */
export class Choices {
  constructor(name) {
    this.name = `viewer.${name}`;
    this.kept = JSON.parse(sessionStorage.getItem(this.name) ?? "{}");
  }

  get(key) {
    return this.kept[key];
  }

  set(key, value) {
    this.kept[key] = value;
    sessionStorage.setItem(this.name, JSON.stringify(this.kept));
  }
}
