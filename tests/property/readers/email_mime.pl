#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# What Email::MIME would show of a message; see readers.py for what is read and written.
use strict;
use warnings;
use Email::MIME;

local $SIG{__WARN__} = sub { };
binmode STDIN;
binmode STDOUT;
$| = 1;

sub text {
	my ($part) = @_;
	my $type = $part->content_type // "text/plain";
	$type =~ s/[;\s(].*//s;
	my $out = "\0$type\n";
	my @inner = grep { $_ != $part } $part->parts;
	$out .= "\n" . $part->header_obj->as_string . "\n" if !@inner && ($part->content_type // "") =~ m{^message/}i;
	return join "", map { text($_) } @inner if @inner;
	$out .= ($part->body // "") . "\n";
	my $str = eval { $part->body_str };
	utf8::encode($str) if defined $str;
	$out .= "\n$str" if defined $str;
	return $out;
}

while (read(STDIN, my $head, 4) == 4) {
	my $len = unpack "N", $head;
	read(STDIN, my $message, $len) == $len || $len == 0 or last;
	my $out = eval { text(Email::MIME->new($message)) } // "";
	utf8::encode($out) if utf8::is_utf8($out);
	print pack("N", length $out), $out;
}
