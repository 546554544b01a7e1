#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""HTML that is called encrypted, as a browser shows it: makes HTML around armor at random, of tags, attributes and styles that
mail programs write and of others that move, hide or change text, and has Chromium lay out what the scanner accepts. A failure
is text that is not the armor, in its order; a character that is not seen; lines that lie upon each other, or beside
each other; and a picture: lines of text that change their looks more often than html_row.h allows, or, with the letters
taken away and all drawn to pixels, ink whose extent changes more often.

    browser.py BUILDDIR [-n DOCUMENTS] [--seed N] [--keep DIR]
"""

import argparse
import base64
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

from programs import MAIL, Talker, save

import mimeparts
import pgppackets

BATCH = 250  # documents in a page that the browser is given at once

TAGS = ["div", "p", "pre", "span", "font", "tt", "code", "b", "strong", "i", "em", "u", "small", "big", "blockquote", "center", "o:p", "a", "table", "sup", "s", "q", "li", "h1", "bdo",
        "ruby", "details", "marquee"]
ATTRIBUTES = [("align", ["left", "right", "center", "justify"]), ("dir", ["ltr", "rtl", "auto"]), ("size", ["1", "7", "+1", "-2", "0"]), ("color", ["black", "white", "red", "#fff", "#333", "#eee"]),
              ("face", ["arial", "symbol", "courier new", "wingdings"]), ("wrap", ["", "soft"]), ("class", ["MsoNormal", "gmail_quote", "x"]), ("title", ["x"]), ("hidden", [""]), ("bgcolor", ["white", "black"]),
              ("width", ["1", "100%"]), ("type", ["cite", "disc"]), ("lang", ["en", "de"])]
LENGTHS = ["0", "0px", "1px", "5px", "12px", "20px", "40px", "90px", "500px", "9999px", "-9px", "1ch", "2em", "0.1em", "1em", "8pt", "12pt", "36pt", "1in", "50%", "100%", "107%", "0.5", "1", "1.5", "auto", "normal"]
COLOURS = ["black", "white", "red", "transparent", "#fff", "#000", "#333", "#eee", "rgb(0, 0, 0)", "rgb(255, 255, 255)", "rgba(0, 0, 0, 0)", "rgba(0,0,0,0.1)", "currentcolor", "inherit", "yellow", "silver"]
PROPERTIES = {
    **dict.fromkeys(["margin", "margin-left", "margin-right", "margin-top", "margin-bottom", "padding", "padding-left", "text-indent", "width", "height", "max-width", "max-height", "min-width", "min-height",
                     "line-height", "font-size", "letter-spacing", "word-spacing", "border-width", "border-radius", "tab-size", "vertical-align", "top", "left", "column-width", "outline-offset"], LENGTHS),
    **dict.fromkeys(["color", "background", "background-color", "caret-color", "border-color", "text-decoration-color", "-webkit-text-fill-color", "-webkit-tap-highlight-color"], COLOURS),
    "display": ["block", "inline", "none", "inline-block", "table", "table-cell", "flex", "contents", "list-item"], "float": ["none", "left", "right"], "position": ["static", "absolute", "relative", "fixed"],
    "white-space": ["normal", "pre", "pre-wrap", "nowrap", "pre-line", "break-spaces"], "word-break": ["break-all", "break-word", "normal", "keep-all"], "overflow-wrap": ["break-word", "anywhere"],
    "text-transform": ["none", "uppercase", "lowercase", "capitalize"], "font-variant": ["normal", "small-caps"], "font-variant-caps": ["normal", "all-small-caps"], "font-style": ["italic", "normal", "oblique"],
    "font-weight": ["400", "bold", "900", "normal"], "font-family": ["arial", "monospace", "symbol", "'Courier New', monospace", "wingdings"], "font": ["12px arial", "1px arial", "400 12pt/1.5 sans-serif", "inherit", "12px/0 arial"],
    "text-align": ["left", "right", "center", "justify", "start"], "text-decoration": ["none", "underline", "line-through"], "direction": ["ltr", "rtl"], "unicode-bidi": ["normal", "embed", "isolate", "plaintext", "bidi-override"],
    "border": ["none", "0px none", "1px solid black", "0 solid red", "40px solid black", "inherit"], "border-left": ["1px solid #ccc", "none", "inherit", "0.001px solid black"], "outline": ["none", "1px solid red", "auto", "inherit"], "overflow": ["hidden", "visible"],
    "visibility": ["hidden", "visible"], "opacity": ["0", "1"], "clear": ["both", "none"], "hyphens": ["auto", "none"], "line-break": ["anywhere", "auto", "after-white-space"], "writing-mode": ["vertical-rl", "horizontal-tb"],
    "transform": ["none", "rotate(90deg)", "scale(0)"], "content": ["'x'", "none"], "column-count": ["2", "auto"], "box-sizing": ["border-box"], "-webkit-text-security": ["disc", "none"], "zoom": ["0.1"],
    "text-shadow": ["1px 1px red"], "text-size-adjust": ["none", "100%"], "clip-path": ["inset(0)"], "-webkit-text-stroke-width": ["0px", "9px"], "background-image": ["none"], "orphans": ["2"], "white-space-collapse": ["collapse", "preserve"],
}

# What draws lines or grounds on white space, or looks like it; and what may stand around it.
DRAWING = ["border: 0 solid", "border: 0 solid black; border-width: 5px", "border: 0 solid; border-width: initial", "border: 0 solid; border-width: 0 0 thin", "border: 0 solid; border-width: 0.001px",
           "border: 0 solid; border-width: 0", "border-style: solid; border-width: 0", "border-left: 0.001px solid black", "border-left: inherit", "border: inherit", "border-style: inherit", "border: initial",
           "border: unset", "outline: inherit", "outline: auto", "outline: 0 auto", "outline: 0 solid", "outline: thin dotted", "background: inherit", "background: initial", "background: rgba(0,0,0,0.4)",
           "background: rgba(240,240,240,0.4)", "background: rgba(0,0,0,0)", "background-color: #eee", "text-decoration: underline", "text-decoration: inherit"]
AROUND = ["", "border-left: 5px solid black", "border: 1px solid black", "outline: 2px solid black", "background: #e0e0e0", "width: 600px; white-space: nowrap; background: #e0e0e0", "text-decoration: underline"]

PAGE = """<!DOCTYPE html><html><head><meta charset="utf-8"></head><body><pre id="out"></pre><script>
const documents = %s;
const LOOKS = 16, INK = 32; /* 64 at 4 each; a border has edges of its own, and what is around armor those of its last lines */
function look(frame) {
  const root = frame.contentDocument, view = frame.contentWindow, seen = {text: root.body.innerText, all: "", faults: []};
  const lines = [];
  let looks = 0, look = "";
  const walker = root.createTreeWalker(root.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    const range = root.createRange(), style = view.getComputedStyle(node.parentElement);
    const text = node.data;
    seen.all += text;
    if (!text.trim()) continue;
    if (parseFloat(style.fontSize) < 4.9) seen.faults.push("size " + style.fontSize);
    range.selectNodeContents(node);
    for (const r of range.getClientRects()) {
      if (r.width < 1) continue;
      if (r.height < 5) seen.faults.push("height " + r.height);
      if (r.right < 1 || r.bottom < 1) seen.faults.push("beyond the edge");
      lines.push([r.top, r.bottom, r.left, r.right]);
      if (/^[\\w+/=]{60,}$/.test(text.trim())) { /* each in a node of its own */
        const now = [Math.round(r.left), Math.round(r.height), style.color, style.fontWeight, style.fontStyle, style.fontFamily].join();
        if (look && now !== look) looks++;
        look = now;
      }
    }
  }
  /* centres of lines go downwards, or on to the side in one line; none lies upon another */
  for (let i = 1; i < lines.length; i++) {
    const a = lines[i - 1], b = lines[i], up = (a[0] + a[1]) / 2 - (b[0] + b[1]) / 2;
    if (up > 8) seen.faults.push("line " + i + " above the one before it by " + up);
  }
  for (let i = 0; i < lines.length; i++)
    for (let k = i + 1; k < lines.length && k < i + 40; k++) {
      const a = lines[i], b = lines[k];
      const high = Math.min(a[1], b[1]) - Math.max(a[0], b[0]), wide = Math.min(a[3], b[3]) - Math.max(a[2], b[2]);
      if (wide > 2 && Math.abs((a[0] + a[1]) - (b[0] + b[1])) / 2 < 7) seen.faults.push("lines " + i + " and " + k + " upon each other");
    }
  if (looks > LOOKS) seen.faults.push("the looks of lines change " + looks + " times");
  seen.faults = seen.faults.slice(0, 3);
  return seen;
}
/* Does anything paint but letters? */
function paints(root, view) {
  for (const element of root.querySelectorAll("body, body *")) {
    const style = view.getComputedStyle(element);
    if (!/^rgba\\(.*, 0\\)$/.test(style.backgroundColor) || style.outlineStyle !== "none" || style.textDecorationLine !== "none" ||
        ["Top", "Bottom", "Left", "Right"].some(side => style["border" + side + "Style"] !== "none")) return true;
  }
  return false;
}
/* How often the extent of what is painted changes from one line to the next, all letters taken away, in letters of one width. */
async function changesOfInk(root, view) {
  const width = 900, height = Math.min(root.documentElement.scrollHeight, 4000);
  const text = new XMLSerializer().serializeToString(root.body).replace(/<(\/?)o:p/g, "<$1o-p")
      .replace(/\\b(dotted|dashed)\\b/g, "solid").replace(/outline: auto/g, "outline: 2px solid"); /* dots and round corners have many extents */
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><foreignObject width="${width}" height="${height}">` +
      `<style xmlns="http://www.w3.org/1999/xhtml">* { -webkit-text-fill-color: transparent !important; text-decoration-color: black !important; font-family: monospace !important; text-decoration-skip-ink: none !important; }</style>${text}</foreignObject></svg>`;
  const image = new Image(), canvas = document.createElement("canvas");
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg);
  await image.decode();
  canvas.width = width; canvas.height = height;
  const context = canvas.getContext("2d", {willReadFrequently: true});
  context.fillStyle = "#ff00ff"; /* a page that is neither dark nor light: white is ink */
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0);
  const pixels = new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
  let last = "", now = "", changes = 0;
  for (let y = 0; y <= height; y++) {
    const runs = [];
    for (let x = 0, before = pixels[0] ^ 1; y < height && x < width; x++) {
      const pixel = pixels[y * width + x];
      if (pixel !== before) runs.push((x + 1) >> 1, pixel);
      before = pixel;
    }
    const band = runs.length > 2 ? runs.join() : "";
    if (band === now) continue;
    if (now && now !== last) { changes++; last = now; }
    now = band;
  }
  return changes;
}
async function all() {
  const out = [];
  for (const text of documents) {
    const frame = document.createElement("iframe");
    frame.width = 900; frame.height = 600;
    const loaded = new Promise(done => { frame.onload = done; });
    frame.srcdoc = text;
    document.body.appendChild(frame);
    await loaded;
    const seen = look(frame);
    if (paints(frame.contentDocument, frame.contentWindow)) {
      const changes = await changesOfInk(frame.contentDocument, frame.contentWindow).catch(() => "nobody knows how many");
      if (!(changes <= INK)) seen.faults.push("a picture: the extent of ink changes " + changes + " times");
    }
    out.push(seen);
    frame.remove();
  }
  document.getElementById("out").textContent = "RESULT" + btoa(unescape(encodeURIComponent(JSON.stringify(out)))) + "END";
}
all();
</script></body></html>"""


def attribute(rng, tag):
    name, values = rng.choice(ATTRIBUTES)
    return '%s="%s"' % (name, rng.choice(values))


def style(rng):
    declared = []
    for _ in range(rng.choice([1, 1, 2, 3])):
        name = rng.choice(sorted(PROPERTIES))
        declared.append("%s: %s" % (name, rng.choice(PROPERTIES[name])))
    return 'style="%s"' % "; ".join(declared)


def opening(rng):
    tag = rng.choice(TAGS[:17] * 4 + TAGS)
    inside = [] if rng.random() < 0.2 else [style(rng)] if rng.random() < 0.75 else [attribute(rng, tag)]
    return "<%s>" % " ".join([tag] + inside), "</%s>" % tag


def lines_of_blanks(rng):
    """Several lines of white space, whose lengths, or margins, somebody has chosen, within something that draws."""
    a, z = opening(rng)
    if rng.random() < 0.7:
        a, z = '<span style="%s">' % rng.choice(DRAWING), "</span>"
    out = []
    for _ in range(rng.choice([2, 4, 12, 30])):
        blanks = rng.choice(["&nbsp;", " ", "&emsp;", "\t", "&#8203;"]) * rng.randrange(9)
        kind = rng.randrange(4)
        if kind == 0:
            out.append('<p style="%s">%s</p>' % (rng.choice(["", "margin-left: 20px", "margin-right: 90px", "padding: 4px", "text-align: right"]), blanks))
        elif kind == 1:
            out.append('<i style="%s">%s</i><br>' % (rng.choice(DRAWING), blanks))
        else:
            out.append(blanks + rng.choice(["<br>", "\n", "<wbr>"]))
    return '<div style="%s">' % rng.choice(AROUND + ["white-space: pre"]) + a + "".join(out) + z + "</div>"


def document(rng):
    """HTML around armor, and the text in it."""
    armored = pgppackets.armor(pgppackets.message("browser %d" % rng.randrange(9), n=rng.choice([120, 400, 4000])), headers=rng.choice([(), [("Version", "1")]])).decode()
    lines = armored.split("\n")[:-1]
    end = rng.choice(["<br>\n", "<br>", "\n"])
    out, closing = [], []
    for _ in range(rng.choice([0, 1, 1, 2])):
        a, z = opening(rng)
        out.append(a)
        closing.insert(0, z)
    if end == "\n":
        out.append("<pre>")
        closing.insert(0, "</pre>")
    for line in lines:
        if rng.random() < 0.15:
            a, z = opening(rng)
            out.append(a + line + z + end)
        else:
            out.append(line + end)
    if rng.random() < 0.3:
        a, z = opening(rng)
        out.append(a + "&nbsp;" * rng.randrange(4) + z)
    if rng.random() < 0.2:
        out.append('<div style="%s">' % rng.choice(AROUND) + '<i style="%s">&nbsp;</i>' % rng.choice(DRAWING) * rng.choice([3, 17, 20, 65]) + "</div>")
    if rng.random() < 0.3:
        out.append(lines_of_blanks(rng))
    body = "".join(out + closing)
    return "<html><head></head><body%s>%s</body></html>\n" % (" " + style(rng) if rng.random() < 0.3 else "", body), re.sub(r"\s", "", armored)


def golden():
    for name in sorted(os.listdir(MAIL)):
        if name.startswith("r08-html") and name.endswith(".verdict") and "pgp-html" in open(os.path.join(MAIL, name)).read():
            import email
            with open(os.path.join(MAIL, name[:-8] + ".eml"), "rb") as f:
                tree = email.message_from_bytes(f.read())
            for part in tree.walk():
                if part.get_content_type() in ("text/html", "application/xhtml+xml"):
                    text = part.get_payload(decode=True).decode(part.get_content_charset("utf-8"), "replace")
                    shown = re.sub(r"<[^<>]*>", "", text)
                    shown = re.sub(r"&[#\w]+;", "", shown)
                    yield name[:-8], text, re.sub(r"[\s\u200b\ufeff]", "", shown)


class Browser:
    def __init__(self, program, keep):
        self.program, self.keep, self.batch, self.count, self.failures = program, keep, [], 0, 0

    def add(self, label, text, shown, must_fail=False):
        self.batch.append((label, text, shown, must_fail))
        if len(self.batch) == BATCH:
            self.ask()

    def ask(self):
        if not self.batch:
            return
        with tempfile.TemporaryDirectory(prefix="pgpgate-browser-") as folder:
            page = os.path.join(folder, "page.html")
            with open(page, "w") as f:
                f.write(PAGE % json.dumps([text for _, text, _, _ in self.batch]).replace("</", "<\\/").replace("<!", "<\\u0021"))
            done = subprocess.run([self.program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-extensions", "--user-data-dir=" + folder + "/profile", "--virtual-time-budget=60000",
                                   "--dump-dom", "file://" + page], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=300,
                                  env=dict(os.environ, HOME=folder)).stdout.decode("utf-8", "replace")
        found = re.search(r"RESULT([A-Za-z0-9+/=]+)END", done)
        if not found:
            raise SystemExit("the browser did not answer: " + done[-300:])
        for (label, text, shown, must_fail), answer in zip(self.batch, json.loads(base64.b64decode(found[1]))):
            faults = list(answer["faults"])
            if re.sub(r"[\s\u200b\ufeff]", "", answer["text"]) != shown:
                faults.append("text %r" % answer["text"][:200])
            if bool(faults) != must_fail:
                self.failures += 1
                print("FAIL %s: %s" % (label, "; ".join(faults) or "the browser sees nothing wrong in it"))
                save(self.keep, re.sub(r"\W", "-", label), text.encode(), "; ".join(faults))
        self.count += len(self.batch)
        self.batch = []


LETTERS = (8, 2, 6, 2, 8, 0, 8, 2, 6, 2, 2, 0, 2, 1, 2, 1, 8) * 4  # E F L, and again
EACH_LINE = "each line "


def rows(before, after, blank="&nbsp;", end="<br>"):
    """Lines of white space, as long as the bars of letters are."""
    return before + "".join(blank * n + end for n in LETTERS) + after


PLANTED = {
    "other letters": '<div style="text-transform: uppercase">%s</div>',
    "hidden": '<div style="display: none">%s</div>',
    "one upon the other": '<div style="line-height: 0">%s</div>',
    "tiny": '<div style="font-size: 1px">%s</div>',
    "beyond the edge": '<div style="margin-left: -9999px">%s</div>',
    "bars": "%s<br>" + rows('<span style="background: #e0e0e0">', "</span>"),
    "bars on white": "%s<br>" + rows('<span style="background: white">', "</span>"),
    "bars of a reader that knows no nbsp": "%s<br>" + rows('<pre style="background: #e0e0e0; display: inline">', "</pre>", " ", "\n"),
    "bordered bars": "%s<br>" + rows('<i style="border: 0 solid; border-width: 5px">', "</i>"),
    "outlined bars": '%s<br><div style="outline: 2px solid black">' + rows('<i style="outline: inherit">', "</i>") + "</div>",
    "bars of the browser": "%s<br>" + rows('<i style="outline: auto">', "</i>"),
    "inherited bars": '%s<br><div style="background: #e0e0e0; margin: 9px">' + rows('<i style="background: inherit; border: 1px solid">', "</i>") + "</div>",
    "underlined bars": "%s<br>" + rows("<u>", "</u>"),
    "bars of blocks": "%s<br>" + "".join('<div style="background: #e0e0e0; margin-right: %dpx">&nbsp;</div>' % (20 * n) for n in LETTERS),
    "bars of nothing": "%s<br>" + "".join('<div style="background: #e0e0e0; padding: 9px; margin-right: %dpx"></div>' % (20 * n) for n in LETTERS),
    "half clear bars": "%s<br>" + rows('<i style="background: rgba(0,0,0,0.4)">', "</i>"),
    "lines in colours": EACH_LINE + '<span style="color: red">',
    "lines in weights": EACH_LINE + "<b>",
    "lines in sizes": EACH_LINE + '<span style="font-size: 20px">',
    "lines further right": EACH_LINE + '<span style="padding-left: 30px">',
    "columns": '<div style="column-count: 2; height: 60px">%s</div>',
}


def main():
    options = argparse.ArgumentParser()
    options.add_argument("build")
    options.add_argument("-n", type=int, default=4000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--keep", default="browser-failures")
    options = options.parse_args()
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if not program:
        print("SKIP no chromium")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    judge = Talker(options.build + "/judge_lines")
    browser = Browser(program, options.keep)
    armored = pgppackets.armor(pgppackets.message("planted", n=4000)).decode()
    for name, around in PLANTED.items():
        if around.startswith(EACH_LINE):  # each second one
            tag = around[len(EACH_LINE):]
            end = "</%s>" % re.match(r"<(\w+)", tag)[1]
            text = "".join((tag + line + end if i % 2 else line) + "<br>\n" for i, line in enumerate(armored.split("\n")))
        else:
            text = around % armored.replace("\n", "<br>\n")
        browser.add("planted, " + name, "<html><body>" + text + "</body></html>", re.sub(r"\s", "", armored), True)
        if judge.line(mimeparts.mail(text.encode(), "text/html; charset=utf-8")).startswith("encrypted"):
            browser.failures += 1
            print("FAIL planted, %s: called encrypted" % name)
    for name, text, shown in golden():
        browser.add(name, text, shown)
    n_golden = browser.count + len(browser.batch) - len(PLANTED)
    for i in range(options.n):
        text, shown = document(random.Random("%d/%d" % (options.seed, i)))
        if judge.line(mimeparts.mail(text.encode(), "text/html; charset=utf-8")).startswith("encrypted"):
            browser.add("%d-%d" % (options.seed, i), text, shown)
    browser.ask()
    judge.close()
    made = browser.count - n_golden - len(PLANTED)
    if made < options.n // 50:
        browser.failures += 1
        print("FAIL only %d of %d documents are called encrypted" % (made, options.n))
    print("browser: %d golden parts and %d of %d documents are called encrypted and were laid out; %d planted ones are seen to be wrong" % (n_golden, made, options.n, len(PLANTED)))
    print("%d passed, %d failed, 0 skipped" % (browser.count - browser.failures, browser.failures))
    return 1 if browser.failures else 0


if __name__ == "__main__":
    sys.exit(main())
