# SPDX-License-Identifier: ISC
"""Golden cases for rule 8: HTML, as mail programs write it around armor. Rows as in cases_mime.py."""

from mimeparts import *
from pgppackets import armor, literal, message

DATA = message()
ARMOR = armor(DATA)
OTHER = armor(message("other"))
B, E = b"-----BEGIN PGP MESSAGE-----", b"-----END PGP MESSAGE-----"
HTML = "text/html; charset=utf-8"
GOOD = "encrypted pgp-html ok"
NONE = "cleartext - no-openpgp"
BESIDE = "partial pgp-inline html-part"
TEXT = text(ARMOR)
META = '<meta http-equiv="Content-Type" content="text/html; charset=utf-8">'
MAILVELOPE = [("Version", "Mailvelope v6.0.1"), ("Comment", "https://mailvelope.com")]


def page(body, head=META, attributes=""):
    return cat("<html><head>", head, "</head><body%s>" % attributes, body, "</body></html>\n")


def html(body, kind=HTML):
    return mail(octets(body), kind)


def pre(*pieces):
    return html(page(cat("<pre>", *pieces, "</pre>")))


def lines(block, before="", after="<br>\n"):
    """Each line of the armor with markup around it."""
    return b"".join(cat(before, line or "", after) for line in octets(block).split(b"\n")[:-1])


def alternative(body, first=TEXT):
    return mail(multi(first, text(octets(body), HTML)), 'multipart/alternative; boundary="b1"')


def beside(body, kind=HTML):
    """An HTML part beside an encrypted one."""
    return mail(multi(TEXT, text(octets(body), kind)), 'multipart/mixed; boundary="b1"')


def drawn(style, around="", n=17):
    """Behind armor, white space that a style may draw on."""
    return html(cat(armor(message("long", n=4000)), '<div style="%s">' % around, '<span style="%s">&nbsp;</span>' % style * n, "</div>"))


def bars(*lengths, around=('<span style="background:#e0e0e0">', "</span>"), end="<br>\n"):
    """Behind armor, lines of white space of these lengths: letters such as E, F, L."""
    return html(cat(armor(message("long", n=4000)), around[0], *["&nbsp;" * n + end for n in lengths], around[1]))


LETTERS = (8, 2, 6, 2, 8, 0, 8, 2, 6, 2, 2, 0, 2, 2, 2, 2, 8, 0, 8, 2, 6, 2, 8)  # E F L E
BLOCK = cat(ARMOR.replace(b"\n\n", b"\n&nbsp;\n"), "&nbsp;\n")
SHORT = armor(message("rows", n=900))


def each_line(before, after="<br>\n", block=armor(message("rows", n=2000))):
    """Each line of the armor with what stands around it, by turns."""
    rows = octets(block).split(b"\n")[:-1]
    return html(page(b"".join(cat(before[i // 2 % len(before)] if i > 2 else "", row, after[i // 2 % len(after)] if i > 2 and isinstance(after, list) else
                                  after if isinstance(after, str) else after[0]) for i, row in enumerate(rows))))


def with_places(distances):
    """Each line of the armor with a place where it may be broken."""
    rows = octets(SHORT).split(b"\n")[:-1]
    return pre(b"".join(row + b"\n" if len(row) < 64 or row.startswith(b"-") else row[:distances[i % len(distances)]] + b"<wbr>" + row[distances[i % len(distances)]:] + b"\n"
                        for i, row in enumerate(rows)))


OUTLOOK = ('<html xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
           'xmlns:w="urn:schemas-microsoft-com:office:word" xmlns:m="http://schemas.microsoft.com/office/2004/12/omml" '
           'xmlns="http://www.w3.org/TR/REC-html40">\n<head>\n' + META +
           '\n<meta name="Generator" content="Microsoft Word 15 (filtered medium)">\n</head>\n'
           '<body lang="EN-US" link="#0563C1" vlink="#954F72" style="word-wrap:break-word">\n<div class="WordSection1">\n')
OUTLOOK_SHEET = '<style type="text/css" style="display:none;"> %s </style>\n'
OUTLOOK_WEB = ('<div class="elementToProof" style="font-family: Aptos, Aptos_EmbeddedFont, Aptos_MSFontService, Calibri, '
               'Helvetica, sans-serif; font-size: 12pt; color: rgb(0, 0, 0);">\n')
APPLE = page("", '<meta http-equiv="content-type" content="text/html; charset=us-ascii">',
             ' style="overflow-wrap: break-word; -webkit-nbsp-mode: space; line-break: after-white-space;"')
GMAIL = '<div dir="ltr"><br></div>\n'
LINKED = cat('<div dir="ltr"><pre>', armor(DATA, headers=MAILVELOPE).replace(
    b"https://mailvelope.com", b'<a href="https://mailvelope.com">https://mailvelope.com</a>'), "<pre></pre></pre></div>\n")
MARKUP = "<br>" * 512  # 2,048 octets

READ = [
    ("bare", html(ARMOR), "armor and nothing else, called HTML"),
    ("bare-qp", mail(qp(ARMOR), "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n"),
     "the same, quoted-printable"),
    ("bare-base64", mail(b64(ARMOR), "Content-Type: text/html\nContent-Transfer-Encoding: base64\n"), "the same, base64"),
    ("bare-space", html(cat("\n \n", ARMOR, "\n\n")), "white space around it"),
    ("pre", mail(cat("<pre>", "\n", ARMOR, "</pre>\n"), HTML), "armor inside <pre>"),
    ("page", pre(ARMOR), "a whole page around it"),
    ("two", pre(ARMOR, "\n", OTHER), "two blocks"),
    ("breaks", html(page(lines(ARMOR))), "a <br> behind each line"),
    ("breaks-one-line", html(page(lines(ARMOR, "", "<br>"))), "the same, all in one line"),
    ("breaks-xhtml", mail(page(lines(ARMOR, "", "<br />\n")), "application/xhtml+xml"), "XHTML"),
    ("divs", html(lines(ARMOR.replace(b"\n\n", b"\n<br>\n"), "<div>", "</div>")), "each line a <div>, as Gmail's composer has it"),
    ("paragraphs", html(cat(OUTLOOK, lines(ARMOR.replace(b"\n\n", b"\n&nbsp;\n"), '<p class="MsoNormal">', "<o:p></o:p></p>\n"),
                            "</div>\n</body>\n</html>\n")), "Outlook's paragraphs"),
    ("outlook-web", html(page(cat(OUTLOOK_WEB, lines(ARMOR), "</div>"), META, ' dir="ltr"')), "Outlook on the web"),
    ("exchange-plus", html(page(cat(OUTLOOK_WEB, lines(ARMOR.replace(b"+", b"&#43;")), "</div>"), META, ' dir="ltr"')), "Outlook on the web, behind an Exchange"),
    ("exchange-signs", html(page(cat("<pre>", ARMOR.replace(b"/", b"&#47;").replace(b"=\n", b"&#x3D;\n"), "</pre>"))), "the other signs of base64"),
    ("outlook-web-sheet", html(page(cat(OUTLOOK_WEB, lines(ARMOR), "</div>"), META + OUTLOOK_SHEET % "P {margin-top:0;margin-bottom:0;}", ' dir="ltr"')),
     "Outlook on the web, with its style sheet"),
    ("outlook-web-sheet-comment", html(page(cat(OUTLOOK_WEB, lines(ARMOR), "</div>"),
                                            META + OUTLOOK_SHEET % "<!-- P {margin-top:0;margin-bottom:0;} -->", ' dir="ltr"')), "the same in a comment"),
    ("courier-new", html(page(cat("<span style='font-size:10.0pt;font-family:\"Courier New\"'>", lines(ARMOR), "</span>"))),
     "a font with quotes within quotes"),
    ("courier-new-quot", html(page(cat('<span style="font-family:&quot;Courier New&quot;,monospace">', lines(ARMOR), "</span>"))),
     "the same with references"),
    ("mailvelope", alternative(LINKED, text(armor(DATA, headers=MAILVELOPE))), "Mailvelope's block in Gmail, its address made a link"),
    ("doctype", html(cat("<!DOCTYPE html>\n", page(cat("<pre>", ARMOR, "</pre>")))), "with a DOCTYPE"),
    ("doctype-4", html(cat('<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN" "http://www.w3.org/TR/html4/loose.dtd">\n',
                           page(cat("<tt>", lines(ARMOR), "</tt>"), META + "<title></title>"))), "with an old one, and an empty title"),
    ("nbsp", html(page(lines(ARMOR, "", "&nbsp;<br>"))), "a no-break space behind each line"),
    ("zero-width", html(cat("\xe2\x80\x8b&#8203;\xef\xbb\xbf<p>\xc2\xa0</p>", ARMOR)), "white space of all kinds around it"),
    ("latin1-nbsp", html(cat("<p>\xa0</p>", ARMOR), "text/html; charset=iso-8859-1"), "a no-break space in Latin-1"),
    ("places", pre(ARMOR.replace(b"ESIz", b"ES<wbr>Iz").replace(b"B8fp", b"B8<wbr/>fp")), "places where a line may be broken, in the data"),
    ("lines-styled", html(page(lines(ARMOR, '<span style="color: #111111"><b>', "</b></span><br>\n"))), "each line in a style"),
    ("alternative", alternative(page(cat("<pre>", ARMOR, "</pre>"))), "armor in text and in HTML"),
    ("second-part", pgp_mime(None, second=text(ARMOR, HTML)), "PGP/MIME whose second part is called HTML"),
    ("empty-gmail", beside(GMAIL), "Gmail with nothing typed"),
    ("empty-apple", beside(APPLE), "Apple Mail with nothing typed"),
    ("empty-apple-around", mail(multi(text(APPLE, HTML), TEXT, text(APPLE, HTML)), 'multipart/mixed; boundary="b1"'),
     "Apple Mail's around an attachment"),
    ("empty-thunderbird", beside('<!DOCTYPE html>\n<html>\n  <head>\n\n    ' + META + "\n  </head>\n  <body>\n    <p><br>\n    </p>\n  </body>\n</html>\n"),
     "Thunderbird with nothing typed"),
    ("empty-outlook", beside(OUTLOOK + '<p class="MsoNormal"><o:p>&nbsp;</o:p></p>\n</div>\n</body>\n</html>\n'), "Outlook with nothing typed"),
    ("empty-outlook-web-sheet", beside(page(OUTLOOK_WEB + "<br>\n</div>\n", META + OUTLOOK_SHEET % "P {margin-top:0;margin-bottom:0;}", ' dir="ltr"')),
     "the same with nothing typed"),
    ("empty-outlook-web", beside(page(OUTLOOK_WEB + "<br>\n</div>\n", META, ' dir="ltr"')), "Outlook on the web with nothing typed"),
    ("markup-bound", beside(MARKUP), "as much markup as may be"),
]

STYLED = "font-family: Helvetica Neue, Helvetica, Arial, sans-serif; font-size: 13px"
EMPTY = [
    ("roundcube", page('<p><br></p><div class="pre" style="margin: 0; padding: 0; font-family: monospace"><br /></div>', META,
                       " style='font-size: 10pt; font-family: Verdana,Geneva,sans-serif'"), "Roundcube"),
    ("zimbra", page('<div style="font-family: arial, helvetica, sans-serif; font-size: 12pt; color: #000000"><div><br></div><div data-marker="__SIG_PRE__"><br></div></div>'), "Zimbra"),
    ("yahoo", page('<div class="ydp1a2b3cyahoo-style-wrap" style="%s;"><div dir="ltr" data-setdir="false"><br></div></div>' % STYLED), "Yahoo"),
    ("gmx", page('<div style="font-family: Verdana;font-size: 12.0px;"><div>&nbsp;</div></div>'), "GMX"),
    ("proton", '<div style="font-family: Arial, sans-serif; font-size: 14px; color: rgb(0, 0, 0); background-color: rgb(255, 255, 255);"><br></div>'
               '<div class="protonmail_signature_block protonmail_signature_block-empty" style="font-family: Arial, sans-serif; font-size: 14px;">'
               '<div class="protonmail_signature_block-user protonmail_signature_block-empty"></div></div>', "ProtonMail"),
    ("ios", page('<br><br><div dir="ltr"></div>', META, ' dir="auto"'), "Mail of iOS"),
    ("macos", page('<br id="lineBreakAtBeginningOfMessage"><div><br class="Apple-interchange-newline"></div><br>', META,
                   ' style="overflow-wrap: break-word; -webkit-nbsp-mode: space; line-break: after-white-space;"'), "Mail of macOS 14"),
    ("k9", "<!DOCTYPE html><html><body></body></html>", "K-9"),
    ("evolution", '<html dir="ltr"><head></head><body style="text-align:left; direction:ltr;" bgcolor="#ffffff" text="#2e3436" link="#1b6acb" vlink="#2e3436">'
                  "<div><br></div></body></html>", "Evolution"),
    ("zoho", '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN"><html><head><meta content="text/html;charset=UTF-8" http-equiv="Content-Type"></head>'
             '<body ><div style="font-family: Verdana, Arial, Helvetica, sans-serif; font-size: 10pt;"><div><br></div></div><br></body></html>', "Zoho"),
    ("outlook-web-reply", page('<div class="elementToProof" style="font-family: Calibri, Arial; font-size: 12pt; color: rgb(0, 0, 0);">\n<br>\n</div>\n<div id="appendonsend"></div>\n'
                               '<div id="Signature"><br></div>', META, ' dir="ltr"'), "Outlook on the web, an answer"),
    ("samsung", page('<div dir="auto"><br></div><div id="composer_signature" dir="auto"><div style="font-size:12px;color:#575757"><br></div></div>'), "Samsung's"),
    ("mailru", '\n<HTML><BODY><div class="js-helper js-readmsg-msg"><div ><br></div></div></BODY></HTML>\n', "Mail.ru"),
    ("gmail-quoting", '<div dir="ltr"><div class="gmail_quote"><br><blockquote class="m_-8123gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex">'
                      "<br></blockquote></div></div>\n", "Gmail, quoting nothing"),
]
PASTED = ("color: rgb(34, 34, 34); font-family: monospace; font-size: small; font-style: normal; font-variant-ligatures: normal; font-variant-caps: normal; font-weight: 400; "
          "letter-spacing: normal; orphans: 2; text-align: start; text-indent: 0px; text-transform: none; white-space: pre-wrap; widows: 2; word-spacing: 0px; "
          "-webkit-text-stroke-width: 0px; background-color: rgb(255, 255, 255); text-decoration-thickness: initial; text-decoration-style: initial; "
          "text-decoration-color: initial; display: inline !important; float: none;")
READ += [("empty-" + slug, beside(body), why + " with nothing typed") for slug, body, why in EMPTY]
READ += [
    ("pasted", html(cat('<div dir="ltr"><span style="%s">' % PASTED, lines(ARMOR, "", "<br>"), "</span></div>")), "armor pasted into Chrome"),
    ("quoted", html(cat('<blockquote type="cite" style="margin: 0 0 0 .8ex; border-left: 1px #ccc solid; padding-left: 1ex">', lines(ARMOR), "</blockquote>")), "a block in a quotation"),
    ("quoted-apple", html(page(cat('<div><blockquote type="cite"><div dir="ltr">' * 4, lines(ARMOR), "</div></blockquote></div>" * 4))), "four quotations within each other, Apple's"),
    ("quoted-thunderbird", html(page(cat('<div class="moz-text-html"><blockquote type="cite"><pre wrap="" class="moz-quote-pre">' * 4,
                                         ARMOR, "</pre></blockquote></div>" * 4))), "four quotations within each other, Thunderbird's"),
    ("quoted-gmail", html(cat('<div dir="ltr"><div class="gmail_quote"><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex">' * 6,
                              lines(ARMOR), "</blockquote></div></div>" * 6)), "six quotations within each other, Gmail's"),
    ("quoted-styled", html(cat('<blockquote type="cite" style="margin: 0 0 0 .8ex; border-left: 1px #ccc solid; padding-left: 1ex">' * 6, lines(ARMOR), "</blockquote>" * 6)),
     "six quotations within each other, with borders"),
    ("lines-none", html(cat('<p style="border:0 solid black;border-width:0;background:rgba(0,0,0,0)">&nbsp;' * 20, ARMOR)), "lines without a width, and no ground, often"),
    ("underlined", html(cat('<div style="text-decoration:underline">', "<p>&nbsp;&nbsp; &nbsp;</p>" * 20, armor(message("long", n=4000)), "</div>")), "an armored block that is underlined, and some empty lines"),
    ("grounds", html(cat('<p bgcolor=#fff>&nbsp;' * 65, ARMOR)), "grounds that are all alike"),
    ("grounds-unlike", html(cat('<p bgcolor=#fff>&nbsp;<p bgcolor=#eee>&nbsp;' * 3, ARMOR)), "some that are not"),
    ("quotations-alike", html(cat(ARMOR, '<blockquote type="cite">&nbsp;</blockquote>' * 17)), "a bar beside what is empty"),
    ("underlined-alike", html(cat(ARMOR, '<div style="text-decoration:underline">', '<p style="margin:0 0 0 9px">&nbsp;&nbsp;</p>' * 20, "</div>")), "underlined lines of one length"),
    ("rows-alike", html(cat(OUTLOOK, lines(ARMOR.replace(b"\n\n", b"\n&nbsp;\n"), '<p class="MsoNormal" style="background:white"><span style="font-size:9.0pt;color:#333333">', "<o:p></o:p></span></p>\n"),
                            '<p class="MsoNormal"><o:p>&nbsp;</o:p></p>\n' * 20, "</div>\n</body>\n</html>\n")), "many lines in a style with a ground, and many empty ones"),
    ("rows-web", html(page(lines(SHORT.replace(b"\n\n", b"\n<br>\n"), '<div class="elementToProof" style="font-size:12pt;color:rgb(0, 0, 0);background-color:rgb(255, 255, 255)">', "</div>\n"))),
     "each line a paragraph with a ground, as Outlook on the web has it"),
    ("rows-some-unlike", each_line(["", "", "", "", "", "", "<b>", "</b>"], block=SHORT), "a few lines that are unlike the one before"),
    ("rows-nbsp", html(page(lines(SHORT, '<span style="background:#eee">&nbsp;&nbsp;', "</span><br>\n"))), "all lines begin with no-break spaces"),
    ("places-alike", with_places([30]), "a place where the line may be broken in each, where Gmail puts it"),
    ("lines-few", bars(8, 2, 2, 8), "white space of a few lengths on a ground"),
    ("k9-pre", html(cat('<pre class="k9mail">', lines(ARMOR, "", "<br />"), "</pre>")), "K-9's HTML"),
    ("blocks-outlook", html(cat(OUTLOOK, lines(cat(*[BLOCK] * 12), '<p class="MsoNormal"><span style="font-family:Consolas">', "<o:p></o:p></span></p>\n"), "</div>\n</body>\n</html>\n")), "many blocks, as Outlook has them"),
    ("blocks-gmail", html(cat('<div dir="ltr">', lines(cat(*[BLOCK.replace(b"&nbsp;", b"<br>")] * 20), "<div>", "</div>"), "</div>\n")), "as Gmail has them"),
    ("blanks-alike", html(cat(ARMOR, '<p style="background:#e0e0e0">&nbsp; &nbsp; &nbsp;</p>' * 40)), "blanks between no-break spaces, in each line"),
    ("blanks-between", html(page(lines(ARMOR, "  <p> ", " </p>  \n\n \n"))), "blanks and empty lines between paragraphs"),
    ("cr-doubled", html(cat("<pre>", lines(ARMOR, "", "\r\r\n"), "</pre>")), "each carriage return doubled"),
    ("spaces-utf-8", html(cat("<p>", "\xc2\xa0\xe2\x80\x8b" * 10, "\xc2\xa0" * 40, "</p>", ARMOR)), "white space as UTF-8 has it"),
    ("spaces-latin-1", html(cat("<p>", b"\xa0" * 40, "</p>", ARMOR), "text/html; charset=windows-1252"), "white space as Windows has it"),
    ("parts-some", mail(multi(TEXT, *[text(APPLE, HTML)] * 9), 'multipart/mixed; boundary="b1"'), "Apple Mail's, often"),
    ("spaces-few", html(cat("<p>", "\xc2\xa0" * 16, "</p>", ARMOR), "text/html"), "a little of it, in no character set"),
    ("colour-old", html(page(cat("<pre>", ARMOR, "</pre>"), META, ' bgcolor=white text="#000"')), "colours of attributes"),
]

NOT_READ = [
    ("text-before", "<p>Meet me</p>", "", "text before it"),
    ("text-after", "", "<p>Meet me</p>", "text after it"),
    ("letter", "", "x", "one letter"),
    ("not-space", "", "&#97;", "a letter as reference"),
    ("comment", "<!-- Meet me -->", "", "a comment"),
    ("comment-empty", "<!-- -->", "", "a comment, whatever is in it"),
    ("style", "<style>p { color: red }</style>", "", "a style sheet"),
    ("script", "", "<script></script>", "a script"),
    ("image", "", '<img src="http://x.test/a.png">', "an image"),
    ("efail", '<img src="http://x.test/', '">', "an image whose address the message would be"),
    ("base", '<base href="http://x.test/">', "", "an address for all others"),
    ("form", "<form>", "", "a form"),
    ("link", '<a href="http://x.test/">http://x.test/</a>', "", "a link outside the armor"),
    ("link-style", '<p style="background: url(http://x.test/)">', "", "an address in a style"),
    ("refresh", '<meta http-equiv="refresh" content="0; url=http://x.test/">', "", "a page that goes elsewhere"),
    ("title", "<title>Meet me</title>", "", "a title"),
    ("attribute-title", '<p title="Meet me">', "", "text in an attribute that is shown"),
    ("attribute-class", '<p class="Meet me">', "", "text in an attribute that is not shown"),
    ("attribute-open", '<p class="', '">', "the message within an attribute"),
    ("attribute-colour", '<p style="color: meetme">', "", "a colour that nobody knows"),
    ("textarea", "<textarea>", "", "a tag beyond the subset"),
    ("plaintext", "<plaintext>", "", "what makes all that follows text"),
    ("entity-tag", "&lt;b&gt;", "", "markup that is shown"),
    ("cdata", "<![CDATA[", "]]>", "a CDATA section"),
    ("tag-open", "", "<p", "a tag without end"),
    ("umlaut", "", "\xc3\xbc", "a letter beyond ASCII"),
]

BAD = [
    ("not-encrypted", html(armor(literal())), NONE, "a block that is not encrypted"),
    ("faulty", html(ARMOR.replace(E, b"Meet me\n" + E)), NONE, "text within the block"),
    ("cut", html(ARMOR.replace(E, b"")), NONE, "a block without end"),
    ("second-faulty", pre(ARMOR, B, "\n\nMeet me\n", E, "\n"), NONE, "a second block that is none"),
    ("tag-in-data", pre(ARMOR.replace(b"\n\n", b"\n\n<b class=\"meet me\">")), NONE, "text in a tag within the block"),
    ("letters-hidden", pre(ARMOR.replace(b"ESIz", b'ES<span style="display: none">Iz').replace(b"hkqMw\n", b"hkqM</span>w\n")), NONE,
     "all letters of the data are hidden but for some, which spell"),
    ("letters-bold", pre(ARMOR.replace(b"ESIz", b"E<b>S</b>Iz")), NONE, "one letter of the data is bold"),
    ("letters-end", pre(ARMOR.replace(b"wV4D", b"<font color=white>wV4D").replace(b"hkqMw\n", b"hkqM</font>w\n")), NONE,
     "all of a line is hidden but for its last letter"),
    ("letters-clipped", html(cat('<div style="width: 1ch; overflow: hidden; white-space: nowrap">', lines(ARMOR), "</div>")), NONE,
     "the first letters of the lines, the others cut off"),
    ("letters-shifted", html(cat('<div style="text-indent: -9ch">', lines(ARMOR), "</div>")), NONE, "the lines begin beyond the edge"),
    ("vertical-tab", pre(ARMOR.replace(b"\n\n", b"\n\x0bX: meet me\n\n", 1)), NONE, "a header behind what HTML does not pass over"),
    ("reference-letter", pre(ARMOR.replace(b"A", b"&#65;")), NONE, "letters as references"),
    ("reference-sign", pre("&#43;&#43;&#43;\n", ARMOR), NONE, "signs outside the armor"),
    ("sheet-other", html(page(ARMOR, META + OUTLOOK_SHEET % "P {margin-top:9px;margin-bottom:0;}")), NONE, "another style sheet"),
    ("sheet-more", html(page(ARMOR, META + OUTLOOK_SHEET % "P {margin-top:0;margin-bottom:0;} P {meet:me}")), NONE, "a style sheet that goes on"),
    ("sheet-behind", html(page(cat(ARMOR, OUTLOOK_SHEET % "P {margin-top:0;margin-bottom:0;}"))), NONE, "a style sheet behind text"),
    ("sheet-shown", html(page(ARMOR, META + (OUTLOOK_SHEET % "P {margin-top:0;margin-bottom:0;}").replace("none", "block"))), NONE, "a style sheet that is shown"),
    ("sheet-open", html(page(ARMOR, META + '<style type="text/css">P {margin-top:0;margin-bottom:0;}')), NONE, "a style sheet without end"),
    ("white", html(page(cat("<pre>", ARMOR, "</pre>"), META, ' bgcolor="#ffffff" text="#fefefe"')), NONE, "letters that nobody sees"),
    ("laid-over", html(cat('<div style="line-height: 0">', lines(ARMOR), "</div>")), NONE, "all lines in one place"),
    ("columns", html(lines(ARMOR, '<div style="float: left; width: 1ch; word-break: break-all">', "</div>")), NONE, "each line a column: the first letters are a line"),
    ("columns-inline", html(lines(ARMOR, '<div style="display: inline-block; width: 1ch; word-break: break-all">', "</div>")), NONE, "the same in another way"),
    ("other-case", html(cat('<div style="text-transform: lowercase">', lines(ARMOR), "</div>")), NONE, "other letters than those that are there"),
    ("other-font", html(cat('<font face="symbol">', lines(ARMOR), "</font>")), NONE, "letters that are signs"),
    ("drawn-ground", html(cat(ARMOR, '<span style="background-color: black">&nbsp;</span>')), NONE, "a picture of dark grounds"),
    ("drawn-grounds", html(cat('<p bgcolor=#fff>&nbsp;<p bgcolor=#eee>&nbsp;' * 9, ARMOR)), NONE, "a picture of light grounds"),
    ("drawn-lines", html(cat(ARMOR, "<u>&nbsp;</u>" * 17)), NONE, "a picture of underlines"),
    ("drawn-borders", html(cat(ARMOR, '<span style="border: 1px solid black">&nbsp;</span>' * 17)), NONE, "a picture of borders"),
    ("drawn-widths", drawn("border:0 solid;border-width:5px"), NONE, "a picture of borders that get their width later"),
    ("drawn-width-word", drawn("border:0 solid;border-width:initial"), NONE, "the same, by a word"),
    ("drawn-hair", drawn("border-left:0.001px solid black"), NONE, "a picture of lines that are as thin as may be"),
    ("drawn-inherited", drawn("border-left:inherit", "border-left:5px solid black"), NONE, "a picture of borders as the one around them"),
    ("drawn-outline", drawn("outline:inherit", "outline:5px solid black"), NONE, "a picture of outlines as the one around them"),
    ("drawn-outline-auto", drawn("outline:auto"), NONE, "a picture of outlines as a browser draws them"),
    ("drawn-ground-inherited", drawn("background:inherit", "width:600px;white-space:nowrap;background:#e0e0e0", 64), NONE, "a picture of grounds as the one around them"),
    ("drawn-ground-half", drawn("background:rgba(0,0,0,0.49)", n=1), NONE, "a ground that is half clear and half black"),
    ("drawn-ground-light", drawn("background:rgba(230,230,230,0.49)", n=65), NONE, "a picture of grounds that are half clear"),
    ("drawn-underlined", html(cat(armor(message("long", n=4000)), "<u>", '&nbsp;<i style="margin-left:40px"></i>' * 61, "</u>")), NONE, "a picture of one underline with gaps"),
    ("drawn-underlined-style", html(cat(armor(message("long", n=4000)), '<div style="text-decoration:underline">',
                                         '<p style="margin:0 0 0 9px">&nbsp;&nbsp;</p><p style="margin:0 0 0 9px">&nbsp;</p>' * 9, "</div>")), NONE,
     "a picture of one underline, of lines of all lengths"),
    ("drawn-underlined-pre", html(cat(armor(message("long", n=4000)), "<pre><u>", '    <br>\n  <br>\n' * 9, "</u></pre>")), NONE, "the same, with white space that is preserved"),
    ("drawn-quotations", html(cat(ARMOR, *['<blockquote type="cite">' + "&nbsp;" * n + "</blockquote>" for n in LETTERS])), NONE, "a picture of quotations"),
    ("drawn-bars", bars(*LETTERS), NONE, "one ground behind several lines of white space: letters"),
    ("drawn-bars-border", bars(*LETTERS, around=('<i style="border:1px solid black">', "</i>")), NONE, "one border around them"),
    ("drawn-bars-underlined", bars(*LETTERS, around=("<u>", "</u>")), NONE, "one underline below them"),
    ("drawn-bars-white", bars(*LETTERS, around=('<span style="background:#fff">', "</span>")), NONE, "the same where the page is dark"),
    ("drawn-bars-code", bars(*LETTERS, around=("<code>", "</code>")), NONE, "where the reader's own style has a ground"),
    ("drawn-bars-tabs", bars(around=('<pre style="tab-size:9"><span style="background:#e0e0e0">' + "".join("\t" * n + "\n" for n in LETTERS), "</span></pre>")), NONE, "with tabs"),
    ("drawn-bars-wide", bars(around=('<span style="background:#e0e0e0">' + "".join("&emsp;&#8203;"[i % 3 // 2 * 6:][:6 + i % 3 // 2] + "<br>" for i in range(40)), "</span>")), NONE,
     "with white space of two widths"),
    ("drawn-bars-places", bars(around=('<div style="width:600px"><span style="background:#e0e0e0">' + "".join("&nbsp;" * (70 if i % 3 else 10) + "&#8203;" for i in range(12)), "</span></div>")), NONE,
     "in one line, that is broken at the sender's places"),
    ("drawn-bars-margins", html(cat(ARMOR, *['<div style="background:#e0e0e0;margin-right:%dpx">&nbsp;</div>' % (10 * n) for n in LETTERS])), NONE, "with margins"),
    ("drawn-bars-padding", html(cat(ARMOR, *['<div style="background:#e0e0e0;padding:6px;margin-right:%dpx"></div>' % (10 * n) for n in LETTERS])), NONE, "with nothing in them"),
    ("drawn-bars-turns", html(cat(ARMOR, *['<p style="background:#e0e0e0">&nbsp;</p>' if n > 5 else '<div style="background:#e0e0e0;margin-right:99px"><br></div>' for n in LETTERS])), NONE,
     "two kinds of lines by turns"),
    ("drawn-boxes", html(cat(ARMOR, '<i style="border:2px solid;border-top:0">&nbsp;</i>' * 6)), NONE, "boxes that lack a side, as U and C do"),
    ("drawn-armor-colours", each_line(['<font color="black">', '<font color="red">'], "</font><br>\n"), NONE, "lines of armor in colours"),
    ("drawn-armor-grounds", each_line(['<span style="background:#e0e0e0">', "<span>"], "</span><br>\n"), NONE, "lines of armor on grounds"),
    ("drawn-armor-weights", each_line(["<b>", "</b>"]), NONE, "lines of armor in weights"),
    ("drawn-armor-sizes", each_line(['<font size="1">', '<font size="7">'], "</font><br>\n"), NONE, "lines of armor in sizes"),
    ("drawn-armor-indented", each_line(["&nbsp;" * 8, ""]), NONE, "lines of armor that begin further to the right"),
    ("drawn-armor-margins", each_line(["<p>", '<p style="margin-left:60px">'], "</p>\n"), NONE, "the same by margins"),
    ("drawn-armor-aligned", each_line(['<p align="left">', '<p align="right">'], "</p>\n"), NONE, "the same by alignment"),
    ("drawn-armor-tails", each_line([""], ["<br>\n", "&nbsp;&nbsp;&nbsp;&nbsp;<br>\n"]), NONE, "white space behind lines of armor"),
    ("drawn-armor-places", with_places([12, 30, 60]), NONE, "lines of armor that are broken at the sender's places"),
    ("drawn-armor-one-line", html(cat("<pre>", armor(message("long", n=4000), width=10 ** 6).replace(b"\n\n", b"\n\n<wbr>"), "</pre>").replace(
        b"A", b"A<wbr>")), NONE, "all of it in one line, that is broken at the sender's places"),
    ("drawn-bars-cr", html(cat(ARMOR, "<pre>", *[" " * n + "\r" for n in LETTERS], "</pre>")), NONE, "lines that end with a carriage return"),
    ("drawn-blocks", html(page(cat(*[lines(BLOCK, '<div style="margin-left:%dpx">' % n, "</div>\n") for n in LETTERS]))), NONE, "blocks at places of their own"),
    ("drawn-blocks-ends", html(page(cat(*[cat(lines(ARMOR, "<div>", "</div>\n"), "<div>", "&nbsp;" * n, "</div>\n") for n in LETTERS]))), NONE, "lines behind blocks"),
    ("drawn-bars-blanks", html(cat(ARMOR, *['<p style="background:#e0e0e0">' + ("&nbsp; &nbsp; &nbsp;" if n > 5 else "&nbsp;&nbsp;&nbsp;") + "</p>" for n in LETTERS])), NONE,
     "lengths that blanks between no-break spaces make"),
    ("drawn-bars-lines", html(cat(ARMOR, *['<p style="background:#e0e0e0">' + ("&nbsp;\n&nbsp;\n&nbsp;" if n > 5 else "&nbsp;&nbsp;&nbsp;") + "</p>" for n in LETTERS])), NONE,
     "that line ends between them make"),
    ("drawn-bars-tags", html(cat(ARMOR, *['<p style="background:#e0e0e0">&nbsp;<b>' + (" " if n > 5 else "") + "</b>&nbsp;</p>" for n in LETTERS])), NONE, "that blanks between tags make"),
    ("drawn-bars-values", html(cat(ARMOR, "<pre>", *['<span class="pre%s">%s</span>\n' % ((" ", " ") if n > 5 else ("", "  ")) for n in LETTERS], "</pre>")), NONE,
     "a blank that shows, and one at a value's end that does not"),
    ("drawn-cr-parts", html(cat(ARMOR, "<pre>", *['<span style="background:#e0e0e0">' + " " * n + "\r" + " " * (12 - n) + "</span>\n" for n in LETTERS], "</pre>")), NONE,
     "lengths of lines that a carriage return parts"),
    ("drawn-cr-many", html(cat("<pre>", ARMOR, *["&nbsp;" + "\r" * (n // 2) + "\n" for n in LETTERS], "</pre>")), NONE,
     "lines apart, by carriage returns"),
    ("drawn-in-parts", mail(multi(TEXT, *[text(octets('<div style="background:#e0e0e0;margin-right:%dpx">&nbsp;</div>' % (10 * n)), HTML) for n in LETTERS]), 'multipart/mixed; boundary="b1"'),
     "partial pgp-html html-part", "each bar in a part of its own"),
    ("form-feed", html(cat("<p>\f</p>", ARMOR)), NONE, "a form feed, which a terminal shows as a sign"),
    ("form-feeds-alone", alternative(b"".join(b"\f" * n + b"\n" for n in LETTERS)), BESIDE, "a part of form feeds and nothing else"),
    ("vertical-tabs-alone", alternative(b"".join(b" " * n + b"\v\n" for n in LETTERS)), BESIDE, "of vertical tabs"),
    ("drawn-vertical-tabs", html(cat("<pre>", ARMOR, "\x0b\x0b\n</pre>")), NONE, "what is no white space to HTML"),
    ("drawn-signs", html(cat("<p>", "\xa0" * 33, "</p>", ARMOR), "text/html; charset=koi8-r"), NONE, "no-break spaces that are bars in another character set"),
    ("drawn-signs-utf-8", html(cat("<p>", b"\xa0" * 33, "</p>", ARMOR)), NONE, "that are no characters in this one"),
    ("drawn-signs-meta", html(page(cat(ARMOR, "\xc2\xa0" * 17), META.replace("utf-8", "koi8-r"))), NONE, "that the text's head says to be others"),
    ("drawn-ground-old", html(cat('<p bgcolor="rgb(255,255,255)">&nbsp;', ARMOR)), NONE, "a colour that is another one to HTML"),
    ("drawn-ground-name", html(page(ARMOR, META, ' text="windowtext"')), NONE, "a name that is another colour to HTML"),
    ("link-other", alternative(LINKED.replace(b'href="https://mailvelope.com"', b'href="https://x.test/"')), BESIDE,
     "a link that goes elsewhere"),
    ("link-query", alternative(LINKED.replace(b"mailvelope.com", b"mailvelope.com?meet=me")), BESIDE, "a link with a query"),
    ("link-in-data", pre(ARMOR.replace(b"\n\n", b'\n\n<a href="https://x.test">https://x.test</a>\n')), NONE, "a link within the data"),
    ("long-headers", html(armor(DATA, headers=[("Comment", "x" * 150), ("X", "y" * 150)])), NONE, "armor headers beyond their bound"),
    ("readable", beside("<p>Meet me</p>\n"), BESIDE, "a readable HTML part beside ciphertext"),
    ("readable-xhtml", beside("<p>Meet me</p>\n", "application/xhtml+xml"), BESIDE, "another markup beside ciphertext"),
    ("markup-beyond", beside(MARKUP + "<br>"), BESIDE, "more markup than may be"),
    ("utf7", html(ARMOR, "text/html; charset=utf-7"), NONE, "a character set in which armor is something else"),
    ("empty-alone", mail(octets(GMAIL), HTML), "cleartext - no-body", "HTML that shows nothing, alone"),
]

CASES = [("r08-html-" + slug, 8, GOOD, message_, why) for slug, message_, why in READ]
CASES += [("r08-html-not-" + slug, 8, NONE, pre(before, ARMOR, after), why) for slug, before, after, why in NOT_READ]
CASES += [("r08-html-bad-" + slug, 8, expect, message_, why) for slug, message_, expect, why in BAD]
CASES += [
    ("r08-html-empty", 8, "encrypted pgp-inline ok", beside("\n"), "an empty HTML part"),
]
