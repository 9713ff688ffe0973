// Reads time and scores off the timeline under the pointer. The page is complete without it.
(function () {
  "use strict";
  var data = JSON.parse(document.getElementById("series").textContent);
  var plots = document.querySelectorAll(".plot[data-lane]");
  function clock(seconds) {
    var tenths = Math.round(seconds * 10);
    var minutes = Math.floor(tenths / 600);
    var rest = ((tenths % 600) / 10).toFixed(1);
    return Math.floor(minutes / 60) + ":" + String(minutes % 60).padStart(2, "0") + ":" + rest.padStart(4, "0");
  }
  function column(seconds) {
    var low = 0, high = data.edges.length - 2;
    while (low < high) {
      var middle = (low + high + 1) >> 1;
      if (data.edges[middle] <= seconds) { low = middle; } else { high = middle - 1; }
    }
    return low;
  }
  function show(share) {
    var first = data.edges[0], last = data.edges[data.edges.length - 1];
    var seconds = first + share * (last - first), at = column(seconds);
    plots.forEach(function (plot) {
      var value = data.lanes[Number(plot.dataset.lane)][at];
      plot.querySelector(".cursor").style.left = share * 100 + "%";
      plot.parentNode.querySelector(".now").textContent =
        clock(seconds) + " · " + (value === null || value === undefined ? "not measured" : value.toFixed(2));
    });
    document.body.classList.add("reading");
  }
  plots.forEach(function (plot) {
    plot.addEventListener("pointermove", function (event) {
      var box = plot.getBoundingClientRect();
      show(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
    });
    plot.addEventListener("pointerleave", function () { document.body.classList.remove("reading"); });
  });
})();
