<?php
// SPDX-License-Identifier: ISC
// What PHP's mailparse would show of a message; see readers.py for what is read and written.
error_reporting(0);

function text($message)
{
	$mime = mailparse_msg_create();
	if (!mailparse_msg_parse($mime, $message))
		return "";
	$out = "";
	foreach (mailparse_msg_get_structure($mime) as $section) {
		$part = mailparse_msg_get_part($mime, $section);
		$data = mailparse_msg_get_part_data($part);
		$type = $data["content-type"] ?? "text/plain";
		if (strncasecmp($type, "multipart/", 10) == 0)
			continue;
		$out .= "\0$type\n";
		$out .= mailparse_msg_extract_part($part, $message, null) . "\n";
		// as the wrappers (php-mime-mail-parser) do it
		$raw = substr($message, $data["starting-pos-body"], $data["ending-pos-body"] - $data["starting-pos-body"]);
		$encoding = strtolower($data["transfer-encoding"] ?? "");
		if ($encoding == "base64")
			$raw = base64_decode($raw);
		else if ($encoding == "quoted-printable")
			$raw = quoted_printable_decode($raw);
		$out .= "\0$type\n" . $raw . "\n";
		$as_utf8 = isset($data["charset"]) ? iconv($data["charset"], "UTF-8//IGNORE", $raw) : false;
		if ($as_utf8 !== false)
			$out .= "\0$type\n" . $as_utf8 . "\n";
	}
	mailparse_msg_free($mime);
	return $out;
}

while (strlen($head = fread(STDIN, 4)) == 4) {
	$len = unpack("N", $head)[1];
	$message = "";
	while (strlen($message) < $len && ($more = fread(STDIN, $len - strlen($message))) != "")
		$message .= $more;
	$out = text($message);
	fwrite(STDOUT, pack("N", strlen($out)) . $out);
	fflush(STDOUT);
}
