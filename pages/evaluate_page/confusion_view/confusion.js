/** Shows nuclei by what they are and what they are called; a click on a cell tells the page which. */

/**
 * @typedef {{row: string, column: string, count: number, share: number, right: boolean}} Cell
 * @typedef {{columns: string[], rows: {name: string, cells: Cell[]}[], picked: string[] | null}} Table
 * @typedef {(name: string, value: unknown) => void} Tell
 */

/** @param {{data: Table, parentElement: HTMLElement, setTriggerValue: Tell}} component */
export default function ({ data, parentElement, setTriggerValue }) {
  const table = /** @type {HTMLElement} */ (parentElement.querySelector(".confusion"));
  const head = document.createElement("thead");
  head.append(rowOf("Reference ↓  called →", data.columns.map((name) => headerOf(name, "col"))));
  const body = document.createElement("tbody");
  for (const { name, cells } of data.rows) {
    body.append(rowOf(name, cells.map((cell) => cellOf(cell, data.picked, setTriggerValue))));
  }
  table.replaceChildren(head, body);
}

/**
 * @param {string} name
 * @param {HTMLElement[]} cells
 */
function rowOf(name, cells) {
  const row = document.createElement("tr");
  row.append(headerOf(name, "row"), ...cells);
  return row;
}

/**
 * @param {string} name
 * @param {string} scope
 */
function headerOf(name, scope) {
  const header = document.createElement("th");
  header.scope = scope;
  header.textContent = name;
  return header;
}

/**
 * @param {Cell} cell
 * @param {string[] | null} picked
 * @param {Tell} tell
 */
function cellOf({ row, column, count, share, right }, picked, tell) {
  const cell = document.createElement("td");
  const button = document.createElement("button");
  button.textContent = count.toLocaleString("en");
  button.setAttribute("aria-label", `${row}, ${column}: ${count}`);
  button.setAttribute("aria-pressed", String(picked?.[0] === row && picked[1] === column));
  button.title = `Reference ${row}, called ${column}: show these nuclei`;
  button.disabled = count === 0;
  button.style.setProperty("--share", String(share));
  button.style.setProperty("--cell-colour", right ? "#009e73" : "#d55e00");
  button.addEventListener("click", () => tell("picked", [row, column]));
  cell.append(button);
  return cell;
}
