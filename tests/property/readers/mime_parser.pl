#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# What MIME::Parser (MIME-tools: amavis, MIMEDefang, RT) would show of a message; see readers.py for what is
# read and written.
use strict;
use warnings;
use MIME::Parser;

local $SIG{__WARN__} = sub { };
binmode STDIN;
binmode STDOUT;
$| = 1;

my $parser = MIME::Parser->new;
$parser->output_to_core(1);
$parser->tmp_to_core(1);
$parser->extract_nested_messages(1);

sub text {
	my ($entity) = @_;
	my $out = "\0" . ($entity->effective_type // "text/plain") . "\n";
	if ($entity->parts) {
		return join "", map { "\0message/rfc822\n" . $_->head->as_string . text($_) } $entity->parts
			if ($entity->mime_type // "") =~ m{^message/}i;
		return join "", map { text($_) } $entity->parts;
	}
	my $body = $entity->bodyhandle;
	return $out . ($body ? $body->as_string : join "", @{ $entity->body // [] }) . "\n";
}

while (read(STDIN, my $head, 4) == 4) {
	my $len = unpack "N", $head;
	read(STDIN, my $message, $len) == $len || $len == 0 or last;
	my $out = eval { text($parser->parse_data($message)) } // "";
	utf8::encode($out) if utf8::is_utf8($out);
	print pack("N", length $out), $out;
}
