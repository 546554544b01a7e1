// SPDX-License-Identifier: ISC
// What a library for Node.js would show of a message: `reader.mjs FOLDER LIBRARY`, where FOLDER holds node_modules;
// see ../readers.py for what is read and written.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(process.argv[2] + "/node_modules/");
const SEPARATOR = Buffer.from([0]);

function leaf(type, ...contents) {
	const out = [SEPARATOR, Buffer.from((type || "text/plain") + "\n")];
	for (const content of contents) {
		if (content === undefined || content === null || content === false)
			continue;
		if (Array.isArray(content))
			out.push(...content.map((x) => leaf(type, x)));
		else if (typeof content === "string")
			out.push(Buffer.from(content, "utf8"));
		else
			out.push(Buffer.from(content.buffer ? content : new Uint8Array(content)));
		out.push(Buffer.from("\n"));
	}
	return Buffer.concat(out);
}

const LIBRARIES = {
	mailparser() {
		const { simpleParser } = require("mailparser");
		const options = { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true };
		return async (message) => {
			const mail = await simpleParser(message, options);
			return Buffer.concat([leaf("text/plain", mail.text), leaf("text/html", mail.html),
				...mail.attachments.map((a) => leaf(a.contentType, a.content))]);
		};
	},
	async "postal-mime"() {
		const PostalMime = (await import(pathToFileURL(require.resolve("postal-mime")))).default;
		return async (message) => {
			const mail = await new (PostalMime.default || PostalMime)().parse(message);
			return Buffer.concat([leaf("text/plain", mail.text), leaf("text/html", mail.html),
				...mail.attachments.map((a) => leaf(a.mimeType, a.content))]);
		};
	},
	"emailjs-mime-parser"() {
		const loaded = require("emailjs-mime-parser");
		const parse = typeof loaded.default === "function" ? loaded.default : loaded.parse || loaded.default.default;
		const walk = (node) => node.childNodes && node.childNodes.length
			? Buffer.concat(node.childNodes.map(walk))
			: leaf(node.contentType && node.contentType.value, node.content);
		return async (message) => walk(parse(new Uint8Array(message)));
	},
	letterparser() {
		const { extract } = require("letterparser");
		return async (message) => {
			const mail = extract(message.toString("utf8"));
			return Buffer.concat([leaf("text/plain", mail.text), leaf("text/html", mail.html),
				...(mail.attachments || []).map((a) => leaf(a.contentType && a.contentType.type, a.body))]);
		};
	},
};

async function* messages() {
	let pending = Buffer.alloc(0);
	for await (const chunk of process.stdin) {
		pending = Buffer.concat([pending, chunk]);
		while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32BE(0)) {
			const len = pending.readUInt32BE(0);
			yield pending.subarray(4, 4 + len);
			pending = pending.subarray(4 + len);
		}
	}
}

const show = await LIBRARIES[process.argv[3]]();
for await (const message of messages()) {
	let out;
	try {
		out = await show(Buffer.from(message));
	} catch {
		out = Buffer.alloc(0); // a reader that gives up shows nothing more
	}
	const head = Buffer.alloc(4);
	head.writeUInt32BE(out.length);
	process.stdout.write(Buffer.concat([head, out]));
}
