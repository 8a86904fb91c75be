// Two councils that a reader chooses, in the words of say_difference in figures.py.
(() => {
  "use strict";
  const {figures, councils} = JSON.parse(document.getElementById("figures").textContent);
  const [one, other, list] = ["one", "other", "differences"].map(id => document.getElementById(id));
  for (const [place, select] of [one, other].entries()) {
    select.append(...councils.map(([name], number) => new Option(name, number, false, number === place)));
    select.addEventListener("change", show);
  }
  const write = number => number.toFixed(1);

  function say([first, a], [second, b], unit) {
    const difference = a[0] - b[0];
    const low = difference - Math.hypot(a[0] - a[1], b[2] - b[0]), high = difference + Math.hypot(a[2] - a[0], b[0] - b[1]);
    if (low > 0 || high < 0) {
      const [near, far] = [Math.abs(low), Math.abs(high)].sort((x, y) => x - y), side = difference > 0 ? "above" : "below";
      return `${first} is ${write(Math.abs(difference))}${unit} ${side} ${second}; the 95% interval is ${write(near)} to ${write(far)}.`;
    }
    return `${first} and ${second} cannot be told apart; the 95% interval is ${write(-low)}${unit} below to ${write(high)}${unit} above.`;
  }

  function show() {
    const [a, b] = [councils[one.value], councils[other.value]];
    const sayAll = ([label, unit], place) => {
      const [x, y] = [a[1][place], b[1][place]];
      if (!x || !y) return `${label}: ${x ? b[0] : a[0]} has no figure to compare.`;
      return `${label}: ${say([a[0], x], [b[0], y], unit)}`;
    };
    const said = a === b ? ["Choose two different councils."]
      : a[2].includes(Number(other.value)) ? ["They share areas, so no difference is given."] : figures.map(sayAll);
    list.replaceChildren(...said.map(text => Object.assign(document.createElement("li"), {textContent: text})));
  }

  show();
  document.getElementById("two-councils").hidden = false;
})();
