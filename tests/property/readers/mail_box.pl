#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# What Mail::Box (Mail::Message) would show of a message; see readers.py for what is read and written.
use strict;
use warnings;
use Mail::Message;

local $SIG{__WARN__} = sub { };
binmode STDIN;
binmode STDOUT;
$| = 1;

sub text {
	my ($part) = @_;
	my $body = $part->body;
	my $type = eval { "" . $body->mimeType } // "text/plain";
	my $out = "\0$type\n";
	if ($body->isMultipart) {
		return join "", map { text($_) } $body->parts;
	}
	if ($body->isNested) {
		return "\0message/rfc822\n" . $body->nested->head->string . text($body->nested);
	}
	my $shown = eval { $part->decoded->string };
	my $raw = $body->string;
	$shown = "" unless defined $shown;
	utf8::downgrade($shown, 1) or utf8::encode($shown);
	utf8::downgrade($raw, 1) or utf8::encode($raw);
	return $out . $shown . "\n" . ($shown eq $raw ? "" : "$out$raw\n");
}

while (read(STDIN, my $head, 4) == 4) {
	my $len = unpack "N", $head;
	read(STDIN, my $message, $len) == $len || $len == 0 or last;
	my $out = eval { text(Mail::Message->read($message, strip_status_fields => 0, log => "NONE", trace => "NONE")) } // "";
	utf8::downgrade($out, 1) or utf8::encode($out);
	print pack("N", length $out), $out;
}
