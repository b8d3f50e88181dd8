// What the widgets that plot curves share: a line, a word and a point on a canvas, in the colours of a view.

/**
 * For a view `ui` as `open` in common.js returns it:
 *   line(g, colour, width, dash, points)                through [[x, y], …]; a y that is not finite lifts the pen
 *   write(g, text, x, y, align, baseline, colour)       muted unless a colour is given
 *   dot(g, x, y, radius, colour)                        with a rim in the page's colour
 */
export function drawing(ui) {
  function line(g, colour, width, dash, points) {
    g.strokeStyle = colour;
    g.lineWidth = width;
    g.setLineDash(dash);
    g.beginPath();
    let pen = false;
    for (const [x, y] of points) {
      if (!Number.isFinite(y)) pen = false;
      else if (pen) g.lineTo(x, y);
      else {
        g.moveTo(x, y);
        pen = true;
      }
    }
    g.stroke();
    g.setLineDash([]);
  }
  function write(g, text, x, y, align, baseline, colour = ui.colours.muted) {
    g.fillStyle = colour;
    g.textAlign = align;
    g.textBaseline = baseline;
    g.fillText(text, x, y);
  }
  function dot(g, x, y, radius, colour) {
    g.beginPath();
    g.arc(x, y, radius, 0, 2 * Math.PI);
    g.fillStyle = colour;
    g.fill();
    g.lineWidth = 2;
    g.strokeStyle = ui.colours.page;
    g.stroke();
  }
  return { line, write, dot };
}
