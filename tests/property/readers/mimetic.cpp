/* SPDX-License-Identifier: ISC
 *
 * What mimetic (of antivirus and archive programs) would show of a message; see talk.h.
 */
#include <mimetic/mimetic.h>

#include <iterator>
#include <sstream>
#include <string>

#include "talk.h"

using namespace mimetic;

static void show(MimeEntity &e, int depth)
{
	const std::string type = e.header().contentType().type() + "/" + e.header().contentType().subtype();
	std::string encoding = e.header().contentTransferEncoding().mechanism();
	std::string decoded;
	const std::string &body = e.body();

	if (!e.body().parts().empty() && depth < 40) {
		for (MimeEntity *part : e.body().parts())
			show(*part, depth + 1);
		return;
	}
	for (char &c : encoding)
		c = (char)tolower(c);
	if (encoding == "base64") {
		Base64::Decoder d;
		decode(body.begin(), body.end(), d, std::back_inserter(decoded));
	} else if (encoding == "quoted-printable") {
		QP::Decoder d;
		decode(body.begin(), body.end(), d, std::back_inserter(decoded));
	} else {
		decoded = body;
	}
	talk_leaf(type == "/" ? NULL : type.c_str(), decoded.data(), decoded.size());
}

int main()
{
	while (talk_next()) {
		try {
			std::istringstream in(std::string(talk_message, talk_len));
			std::istreambuf_iterator<char> at(in), end;
			MimeEntity e(at, end);
			show(e, 0);
		} catch (...) { /* what it cannot read it does not show */
		}
		talk_answer();
	}
	return 0;
}
