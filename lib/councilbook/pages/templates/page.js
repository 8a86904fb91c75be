// What scripts add to a page that is whole without them: tables that sort, figures as PNG, and maps that move.
(() => {
  "use strict";
  const MISSING = new Set(["", "n/a", "[c]", "–", "-"]);
  const NUMBER = /^[−-]?[£€$]?[\d,]*\.?\d+\s?%?$/;
  const ARROWS = '<svg width="10" height="16" viewBox="0 0 10 16" aria-hidden="true"><path class="up" d="M5 1l4 5H1z"/><path class="down" d="M5 15l4-5H1z"/></svg>';
  const status = document.createElement("p");
  status.className = "visually-hidden";
  status.setAttribute("role", "status");
  document.querySelector("main").append(status);

  const hide = text => Object.assign(document.createElement("span"), {className: "visually-hidden", textContent: text});
  const readNumber = text => parseFloat(text.replace("−", "-").replace(/[^\d.-]/g, ""));

  // Dates and numbers are compared as such if a column has nothing else. What is missing stays last either way.
  function readColumn(rows, index) {
    const cells = rows.map(row => row.cells[index]).map(cell => ({
      text: cell.textContent.trim(), date: cell.querySelector("time[datetime]")?.dateTime,
    }));
    const present = cells.filter(cell => !MISSING.has(cell.text));
    const dates = present.every(cell => cell.date), numbers = present.every(cell => NUMBER.test(cell.text));
    return cells.map(cell => {
      if (MISSING.has(cell.text)) return null;
      return dates ? cell.date : numbers ? readNumber(cell.text) : cell.text;
    });
  }

  let collator;  // slow to make, and seldom wanted
  function compare(one, other) {
    if (typeof one === "number") return one - other;
    return (collator ??= new Intl.Collator(document.documentElement.lang, {numeric: true})).compare(one, other);
  }

  function makeSortable(table) {
    const body = table.tBodies[0], original = [...body.rows], headers = [...table.tHead.rows[0].cells];
    const name = table.caption.textContent.trim();
    table.caption.firstElementChild.append(hide(". The buttons in its headers sort it."));
    headers.forEach((header, index) => {
      const label = header.textContent.trim(), button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      const words = document.createElement("span");
      words.append(...header.childNodes);
      words.insertAdjacentHTML("beforeend", ARROWS);
      button.append(words);
      header.append(button);
      button.addEventListener("click", () => {
        const last = header.getAttribute("aria-sort");
        const order = last === "ascending" ? "descending" : last === "descending" ? "" : "ascending";
        headers.forEach(one => one.removeAttribute("aria-sort"));
        if (!order) {
          body.append(...original);
          status.textContent = `${name}: rows in their first order.`;
          return;
        }
        header.setAttribute("aria-sort", order);
        const sign = order === "ascending" ? 1 : -1;
        const rows = readColumn(original, index).map((key, place) => ({key, row: original[place]}));
        const present = rows.filter(one => one.key !== null), missing = rows.filter(one => one.key === null);
        present.sort((one, other) => sign * compare(one.key, other.key));
        body.append(...[...present, ...missing].map(one => one.row));
        status.textContent = `${name}: sorted by ${label}, ${order}.`;
      });
    });
  }

  function offerPng(link) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "as-link";
    button.textContent = "Picture (PNG)";
    button.setAttribute("aria-label", link.getAttribute("aria-label").replace("SVG", "PNG"));
    link.after(" ", button);
    button.addEventListener("click", async () => {
      const picture = new Image();
      picture.src = link.href;
      await picture.decode();
      const canvas = document.createElement("canvas");
      canvas.width = 2 * picture.naturalWidth;
      canvas.height = 2 * picture.naturalHeight;
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      const file = document.createElement("a");
      file.href = canvas.toDataURL("image/png");
      file.download = link.download.replace(/svg$/, "png");
      file.click();
    });
  }

  // Where a browser cannot unpack an interactive map (before 2023), the still one is shown.
  async function unpack(frame) {
    try {
      const bytes = Uint8Array.from(atob(frame.dataset.packed), one => one.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      frame.srcdoc = await new Response(stream).text();
    } catch {
      frame.hidden = true;
      frame.closest("figure")?.querySelector(".still-map")?.setAttribute("open", "");
    }
  }

  // A fold opens for whoever is led into it, and all open on paper.
  function reveal() {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    target.scrollIntoView();
  }

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open], .run-code)")];
    closed.forEach(fold => { fold.open = true; });
  });
  addEventListener("afterprint", () => { closed.forEach(fold => { fold.open = false; }); closed = []; });

  // A table is a tab stop, and says so, only where it is wider than its place.
  const widths = new ResizeObserver(seen => seen.forEach(({target}) => {
    const wide = target.scrollWidth > target.clientWidth + 1;
    target.classList.toggle("scrolls", wide);
    if (wide) target.tabIndex = 0; else target.removeAttribute("tabindex");
  }));

  // A map may still be on its way: it is asked until it answers.
  async function askMap(frame, text) {
    coming.unobserve(frame);
    frame.loading = "eager";
    if (!frame.srcdoc) await unpack(frame);
    if (frame.hidden) return null;
    const found = await new Promise(done => {
      const ask = () => frame.contentWindow.postMessage({find: text}, "*");
      const hear = ({source, data}) => { if (source === frame.contentWindow && data.asked === text) end(data.found); };
      const again = setInterval(ask, 200), late = setTimeout(() => end(""), 10000);
      const end = answer => { clearInterval(again); clearTimeout(late); removeEventListener("message", hear); done(answer); };
      addEventListener("message", hear);
      ask();
    });
    return found ? [found, "#" + frame.closest("figure").id, "See it on the map"] : null;
  }

  // Rows of the page's tables that are headed by a place, as a ward.
  function askTables(text) {
    const heads = [...document.querySelectorAll("main tbody th[scope=row]")];
    const read = one => one.textContent.trim().toLowerCase(), wanted = text.toLowerCase();
    const hits = heads.filter(one => read(one) === wanted), near = heads.filter(one => read(one).startsWith(wanted));
    return (hits.length ? hits : text.length > 2 ? near : []).slice(0, 3).map((head, place) => {
      const row = head.parentElement, table = row.closest("table"), labels = [...table.tHead.rows[0].cells];
      row.id ||= `found-${table.rows.length}-${row.rowIndex}-${place}`;
      const told = [...row.cells].slice(1).map((cell, at) => `${labels[at + 1].textContent.trim()}: ${cell.textContent.trim()}`);
      return [`${head.textContent.trim()}. ${told.join("; ")}.`, "#" + row.id, "See the table"];
    });
  }

  async function findPlace(form) {
    const text = form.querySelector("input").value.trim(), list = form.querySelector("ul");
    if (!text) { list.replaceChildren(); return; }
    list.replaceChildren(Object.assign(document.createElement("li"), {textContent: "Looking …"}));
    const maps = await Promise.all([...document.querySelectorAll("iframe[data-packed]")].map(one => askMap(one, text)));
    const found = [...maps.filter(Boolean), ...askTables(text)];
    list.replaceChildren(...found.map(([words, address, see]) => {
      const item = document.createElement("li"), link = document.createElement("a");
      link.href = address;
      link.textContent = see;
      item.append(words + " ", link);
      return item;
    }));
    if (!found.length) list.append(Object.assign(document.createElement("li"), {textContent: `“${text}” is not on the maps or in the tables of this page.`}));
  }

  // Only when a reader comes near, so that the page itself is not kept waiting.
  const coming = new IntersectionObserver(seen => {
    for (const {target} of seen.filter(one => one.isIntersecting)) {
      coming.unobserve(target);
      unpack(target);
    }
  }, {rootMargin: "1500px"});

  document.querySelectorAll(".scroll").forEach(one => widths.observe(one));
  document.querySelectorAll("#find-place").forEach(form => {
    form.hidden = false;
    form.querySelector("button").addEventListener("click", () => findPlace(form));
    form.querySelector("input").addEventListener("keydown", event => { if (event.key === "Enter") findPlace(form); });
  });
  addEventListener("hashchange", reveal);
  document.addEventListener("click", event => { if (event.target.closest("a")?.hash === location.hash) reveal(); });
  reveal();
  document.querySelectorAll("iframe[data-packed]").forEach(frame => coming.observe(frame));
  document.querySelectorAll("table[data-sortable]").forEach(makeSortable);
  document.querySelectorAll("a[data-picture]").forEach(offerPng);
})();
