"use strict";
// Tables of the class "sortable" can be sorted by a heading and filtered by text. Everything can be read without this.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const headings = [...table.tHead.rows[0].cells];
  const compare = new Intl.Collator("en", { numeric: true }).compare;

  // Widths stay as they are: columns do not jump, and a large table is laid out in less time.
  const freeze = () => {
    if (table.style.tableLayout) return;
    const widths = headings.map((heading) => heading.offsetWidth);
    table.style.width = `${table.offsetWidth}px`;
    headings.forEach((heading, place) => { heading.style.width = `${widths[place]}px`; });
    table.style.tableLayout = "fixed";
  };

  const sortBy = (column, ascending) => {
    freeze();
    const keyed = [...body.rows].map((row) => {
      const cell = row.cells[column];
      const key = cell.dataset.v === undefined ? cell.textContent.trim() : cell.dataset.v === "" ? null : Number(cell.dataset.v);
      return [key, row];
    });
    const sign = ascending ? 1 : -1;
    keyed.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);  // what was not measured stays last
      return sign * (typeof a === "number" ? a - b : compare(a, b));
    });
    body.append(...keyed.map(([, row]) => row));
    headings.forEach((heading, place) => {
      if (place === column) heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      else heading.removeAttribute("aria-sort");
    });
  };

  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    heading.replaceChildren(button);
    const lowerFirst = !heading.textContent.includes("↑") && heading.textContent !== "seeds" && heading.textContent !== "faces";
    button.addEventListener("click", () => {
      const now = heading.getAttribute("aria-sort");
      sortBy(column, now === null ? lowerFirst : now === "descending");
    });
  });

  const label = document.createElement("label");
  const input = document.createElement("input");
  const wide = table.closest(".wide");
  label.className = "filter";
  input.type = "search";
  input.placeholder = "part of a name";
  label.append("Show only: ", input);
  wide.before(label);
  input.addEventListener("input", () => {
    freeze();
    const wanted = input.value.trim().toLowerCase();
    for (const row of body.rows) row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted);
  });
}
