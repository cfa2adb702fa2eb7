"use strict";
// Figures are drawn one after the other, so that a page with many of them can be read at once.
(function () {
  var waiting = Array.prototype.slice.call(document.querySelectorAll("[data-figure]"));
  function draw(box) {
    var source = document.getElementById(box.getAttribute("data-figure"));
    var figure = JSON.parse(source.textContent);
    box.textContent = "";
    return Plotly.newPlot(box, figure.data, figure.layout, { displayModeBar: false, responsive: true });
  }
  function resize(screen) {
    document.querySelectorAll("[data-figure]").forEach(function (box) {
      box.style.minWidth = screen ? box.getAttribute("data-width") : "0";
      if (box.layout) { Plotly.relayout(box, { autosize: screen, width: screen ? null : box.clientWidth }); }
    });
  }
  function next() {
    var box = waiting.shift();
    if (!box) { document.documentElement.setAttribute("data-drawn", "all"); return; }
    try { draw(box); } catch (error) { box.textContent = "This graph could not be drawn: " + error; }
    window.setTimeout(next, 0);
  }
  window.addEventListener("beforeprint", function () {
    while (waiting.length) { draw(waiting.shift()); }
    // Graphs keep the width they were drawn with, so they are drawn at the paper's before it is laid out.
    document.documentElement.classList.add("printing");
    resize(false);
  });
  window.addEventListener("afterprint", function () {
    document.documentElement.classList.remove("printing");
    resize(true);
  });
  next();
})();
