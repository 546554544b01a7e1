# SPDX-License-Identifier: ISC
# What ruby's mail library (Rails, Zammad) would show of a message; see readers.py for what is read and written.
require "mail"

$stdin.binmode
$stdout.binmode
$stderr.reopen(File::NULL)

def text(part, out)
	if part.multipart?
		part.parts.each { |inner| text(inner, out) }
		return
	end
	out << "\0".b << (part.mime_type || "text/plain").b << "\n".b
	begin
		out << part.body.decoded.b << "\n".b
	rescue StandardError, NotImplementedError
		out << part.body.raw_source.b << "\n".b
	end
	begin
		out << part.decoded.encode("UTF-8", invalid: :replace, undef: :replace).b << "\n".b
	rescue StandardError, NotImplementedError
		nil
	end
	return unless part.mime_type == "message/rfc822"
	inner = Mail.new(part.body.decoded)
	out << inner.header.raw_source.to_s.b << "\n".b
	text(inner, out)
end

while (head = $stdin.read(4)) && head.length == 4
	message = $stdin.read(head.unpack1("N")) || "".b
	out = String.new(encoding: Encoding::BINARY)
	begin
		text(Mail.new(message), out)
	rescue StandardError, NotImplementedError
		nil
	end
	$stdout.write([out.length].pack("N"), out)
	$stdout.flush
end
