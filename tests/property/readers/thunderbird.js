/* SPDX-License-Identifier: ISC
 *
 * What Thunderbird shows of a message, without a window: run by its own shell (thunderbird-bin -xpcshell thunderbird.js).
 * Reads paths of messages, a line each, and answers each with a line: "=" and, in base64, the HTML that it would lay out.
 */
"use strict";

const SECONDS = 3;
const profile = Cc["@mozilla.org/file/local;1"].createInstance(Ci.nsIFile);
profile.initWithPath(Services.env.get("HOME"));
Services.dirsvc.registerProvider({
	QueryInterface: ChromeUtils.generateQI(["nsIDirectoryServiceProvider"]),
	getFile(name, persistent) {
		persistent.value = true;
		return ["ProfD", "ProfLD", "ProfDS", "TmpD", "PrefD", "Home"].includes(name) ? profile.clone() : null;
	},
});
Services.prefs.setBoolPref("mail.inline_attachments", true);
Services.prefs.setIntPref("mailnews.display.html_as", 0);
Services.prefs.setBoolPref("mailnews.display.show_all_body_parts_menu", true);
Services.prefs.setBoolPref("mail.openpgp.enable", false);

/* Who cannot decrypt sees a notice in the place of multipart/encrypted; Thunderbird's own decryption hangs in this shell. */
Components.manager.QueryInterface(Ci.nsIComponentRegistrar).registerFactory(
	Components.ID("{6f0e2d0a-8f0e-4d19-9a51-2c1f6d0a7b11}"), "no decryption", "@mozilla.org/mime/pgp-mime-js-decrypt;1", {
		QueryInterface: ChromeUtils.generateQI(["nsIFactory"]),
		createInstance(iid) {
			const nothing = {
				QueryInterface: ChromeUtils.generateQI(["nsIStreamListener", "nsIRequestObserver"]),
				onStartRequest() {},
				onDataAvailable() {},
				onStopRequest() {},
			};

			return nothing.QueryInterface(iid);
		},
	});

function show(path, prefers_text) {
	const file = Cc["@mozilla.org/file/local;1"].createInstance(Ci.nsIFile);
	let text = "", done = false;

	Services.prefs.setBoolPref("mailnews.display.prefer_plaintext", prefers_text);
	file.initWithPath(path);
	const uri = Services.io.newFileURI(file).mutate().setQuery("type=application/x-message-display").finalize();
	const channel = Services.io.newChannelFromURI(uri, null, Services.scriptSecurityManager.getSystemPrincipal(), null,
		Ci.nsILoadInfo.SEC_ALLOW_CROSS_ORIGIN_SEC_CONTEXT_IS_NULL, Ci.nsIContentPolicy.TYPE_OTHER);
	const listener = {
		QueryInterface: ChromeUtils.generateQI(["nsIStreamListener", "nsIRequestObserver"]),
		onStartRequest() {},
		onDataAvailable(request, stream, offset, count) {
			const input = Cc["@mozilla.org/binaryinputstream;1"].createInstance(Ci.nsIBinaryInputStream);

			input.setInputStream(stream);
			text += input.readBytes(count);
		},
		onStopRequest() { done = true; },
	};
	channel.asyncOpen(Cc["@mozilla.org/streamConverters;1"].getService(Ci.nsIStreamConverterService)
		.asyncConvertData("message/rfc822", "text/html", listener, channel));
	const end = Date.now() + SECONDS * 1000;
	Services.tm.spinEventLoopUntil("message", () => done || Date.now() > end);
	/* without the message's own header, which is above the body */
	return text.replace(/<title>[^<]*<\/title>/, "").replace(/<table[^>]*moz-main-header[^]*?<\/table>/g, "");
}

for (let path; (path = readline());) {
	let text = "";

	for (const prefers_text of [true, false]) {
		try {
			text += show(path, prefers_text) + "\n";
		} catch (error) {
			text += ""; /* what it cannot read it does not show */
		}
	}
	dump("=" + btoa(text) + "\n");
}
