// SPDX-License-Identifier: ISC
//
// kmime.cpp: what KMime (KMail, Akonadi) would show of a message; see talk.h.
#include <KMime/KMimeMessage>

#include "talk.h"

static void show(KMime::Content *content)
{
	if (!content->contents().isEmpty()) {
		const auto inner = content->contents();
		for (KMime::Content *c : inner)
			show(c);
		return;
	}
	const QByteArray type = content->contentType()->mimeType();
	const QByteArray decoded = content->decodedContent();
	talk_leaf(type.constData(), decoded.constData(), (size_t)decoded.size());
	if (content->bodyIsMessage()) {
		const auto message = content->bodyAsMessage();
		if (message) {
			const QByteArray head = message->head();
			talk_leaf("message/rfc822", head.constData(), (size_t)head.size());
			show(message.data());
		}
		return;
	}
	const QByteArray text = content->decodedText().toUtf8();
	talk_leaf(type.constData(), text.constData(), (size_t)text.size());
}

int main()
{
	while (talk_next()) {
		KMime::Message message;
		message.setContent(KMime::CRLFtoLF(QByteArray(talk_message, (int)talk_len)));
		message.parse();
		show(&message);
		talk_answer();
	}
	return 0;
}
