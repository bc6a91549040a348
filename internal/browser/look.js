// Tells what is on a page of hew report and what is wrong with it.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const box = (e) => e.getBoundingClientRect();
  const name = (e) => e.id || e.dataset.name || e.textContent.trim().slice(0, 40) || e.tagName;
  const plots = all(".plot svg");
  const where = (e) => name(e.closest("figure")) + ": " + e.textContent;

  // Contrast, as the Web Content Accessibility Guidelines have it.
  const numbers = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = (color) => {
    const [r, g, b] = numbers(color).map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const color = getComputedStyle(e).backgroundColor;
      if (numbers(color)[3] !== 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const contrast = (e, color) => {
    const [dark, light] = [luminance(color), luminance(behind(e))].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const color = (e) => getComputedStyle(e).color;
  const faint = [
    ...all("p, h1, h2, h3, h4, figcaption, .note, .key li, th, td, caption, a, .plot svg text").filter((e) => contrast(e, color(e)) < 4.5),
    ...all(".plot svg path:not(.grid), .key path").filter((e) => contrast(e.closest("figure"), color(e)) < 3),
  ];

  // Words of a plot must be in it, and not on one another.
  const cut = [], overlapping = [];
  for (const svg of plots) {
    const outer = box(svg), words = all("text", svg).map((e) => [e, box(e)]);
    words.forEach(([e, r], i) => {
      if (r.left < outer.left - 1 || r.right > outer.right + 1 || r.top < outer.top - 1 || r.bottom > outer.bottom + 1) cut.push(where(e));
      for (const [other, o] of words.slice(0, i)) {
        if (r.left < o.right - 1 && o.left < r.right - 1 && r.top < o.bottom - 3 && o.top < r.bottom - 3) overlapping.push(where(other) + " and " + e.textContent);
      }
    });
  }
  const sections = all("main section");
  // What has no size; words for which there is no font; plots in which nothing is drawn.
  const drawn = (p) => /\b(c\d|bad|muted)\b/.test(p.className.baseVal) && (box(p).width || box(p).height);
  const sized = (e) => box(e).width > 20 && box(e).height > 10;
  const empty = [
    ...[...sections, ...all("figure, table, .plot, .plot svg")].filter((e) => !sized(e)),
    ...[...all(".plot svg text"), ...all("h3, th, figcaption")].filter((e) => !e.textContent || !box(e).width),
    ...plots.filter((e) => !all("path", e).some(drawn)),
  ];
  return {
    Width: innerWidth,
    ScrollWidth: document.documentElement.scrollWidth,
    Sections: sections.map((e) => e.id),
    Figures: Object.fromEntries(all("main figure").map((e) => [e.id, all(".plot svg", e).length])),
    Wide: all("main figure, main .plot, main svg, main p, h1, h2, h3, nav li, .scroll").filter((e) => box(e).right > innerWidth + 0.5 || box(e).left < 0).map(name),
    Empty: empty.map((e) => (e.closest("figure") ? name(e.closest("figure")) + ": " : "") + name(e)),
    Cut: cut,
    Overlapping: overlapping,
    Faint: faint.map((e) => name(e) + " " + color(e) + " on " + behind(e)),
    Background: getComputedStyle(document.body).backgroundColor,
    Plot: color(document.querySelector(".plot svg text")),
    Navigation: getComputedStyle(document.querySelector("nav")).display,
    Breaks: all("figure").filter((e) => getComputedStyle(e).breakInside !== "avoid").map(name),
    Smallest: Math.min(...all(".plot svg text").map((e) => parseFloat(e.getAttribute("font-size")) * box(e.ownerSVGElement).width / e.ownerSVGElement.viewBox.baseVal.width)),
    Ticks: all(".plot svg text").length,
  };
})()
