/* SPDX-License-Identifier: ISC */
#include "cli/report_html.h"

#include <string.h>
#include <time.h>

#include "cli/output.h"
#include "common/clock.h"

#define TOP 15		/* lines of a table */
#define DAYS_MAX 366	/* bars of the chart: the latest */
#define CHART_WIDTH 720 /* units of the view box */
#define CHART_HEIGHT 220
#define PLOT_TOP 30 /* room for the label of the topmost line */
#define PLOT_BOTTOM 180
#define PLOT_LEFT 8

static const char head[] =
	"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
	"'unsafe-inline'\">\n"
	"<style>\n"
	":root{color-scheme:light "
	"dark;--ink:#1d2329;--soft:#5d6872;--line:#d9dee3;--paper:#fff;--card:#f6f8fa;"
	"--good:#2a7f4f;--plain:#7c93ab;--bad:#c2413a;--would:#d69413}\n"
	"@media(prefers-color-scheme:dark){:root{--ink:#e4e8ec;--soft:#9aa5b0;--line:#343c45;--"
	"paper:#14181c;"
	"--card:#1c2228;--good:#4fb37c;--plain:#66809b;--bad:#e5695f;--would:#e3b04b}}\n"
	"*{box-sizing:border-box}\nbody{margin:0 auto;padding:1.5rem 1rem "
	"3rem;max-width:60rem;background:var(--paper);"
	"color:var(--ink);font:16px/1.5 system-ui,sans-serif}\n"
	"h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}\n"
	"p{margin:.25rem 0}.soft{color:var(--soft)}\n"
	".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.75rem;"
	"margin:1.25rem 0}\n"
	".card{background:var(--card);border:1px solid "
	"var(--line);border-radius:.5rem;padding:.6rem .9rem}\n"
	".card "
	"b{display:block;font-size:1.45rem;line-height:1.3;font-variant-numeric:tabular-nums}\n"
	".wide{overflow-x:auto}\nsvg{width:100%;height:auto;display:block}\n"
	"svg text{fill:var(--soft);font:12px "
	"system-ui,sans-serif;paint-order:stroke;stroke:var(--paper);"
	"stroke-width:3px}svg line{stroke:var(--line)}\n"
	".good{fill:var(--good)}.plain{fill:var(--plain)}.bad{fill:var(--bad)}.would{fill:var(--"
	"would)}\n"
	".key{display:flex;flex-wrap:wrap;gap:.25rem 1.2rem;font-size:.9rem;color:var(--soft)}\n"
	".key i{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.4em}\n"
	"table{border-collapse:collapse;width:100%;font-size:.93rem}\n"
	"th,td{padding:.3rem .5rem;border-bottom:1px solid var(--line);text-align:right;"
	"font-variant-numeric:tabular-nums}\n"
	"th{font-weight:600;color:var(--soft)}\n"
	"th:first-child,td:first-child{text-align:left;min-width:9rem;width:99%}\n"
	/* On a phone the name has a line of its own, and the numbers stand below. */
	"@media(max-width:32rem){table,thead,tbody{display:block}"
	"tr{display:grid;grid-template-columns:repeat(4,minmax(0,1fr));border-bottom:1px solid "
	"var(--line)}"
	"th,td{border:0;padding:.1rem .2rem;grid-row:2}th{font-size:.8rem}"
	"th:first-child,td:first-child{grid-row:1;grid-column:1/-1;min-width:0;width:auto}svg "
	"text{font-size:24px}}\n"
	"@media "
	"print{body{max-width:none;padding:0;font-size:11pt}h2{break-after:avoid}tr,.card,svg{"
	"break-inside:avoid}"
	".good,.plain,.bad,.would,.key i{print-color-adjust:exact;-webkit-print-color-adjust:exact}"
	"svg{min-width:0}}\n"
	"</style>\n";

/* A name for the title, in which no element may stand. */
static void put_name(FILE *to, const char *text)
{
	for (; *text != '\0'; text++)
		if (*text > ' ' && *text <= '~' && strchr("<>&\"", *text) == NULL)
			fputc(*text, to);
		else
			fputc(' ', to);
}

/* Text as HTML; what a reader's terminal or screen would take amiss is escaped before. */
static void put_text(FILE *to, const char *text)
{
	char clean[OUTPUT_TEXT_MAX];

	for (const char *p = output_clean(clean, sizeof(clean), text); *p != '\0'; p++) {
		if (*p == '<')
			fputs("&lt;", to);
		else if (*p == '>')
			fputs("&gt;", to);
		else if (*p == '&')
			fputs("&amp;", to);
		else if (*p == '"')
			fputs("&quot;", to);
		else
			fputc(*p, to);
		/* A long address may go on in the next line behind these, and never within a word.
		 */
		if (strchr("@.-_+=", *p) != NULL)
			fputs("<wbr/>", to);
	}
}

static void put_card(FILE *to, const char *label, int64_t n, int64_t of)
{
	char number[OUTPUT_NUMBER_MAX];

	fprintf(to, "<div class=\"card\"><b>%s</b>%s", output_number(number, n), label);
	if (of > 0)
		fprintf(to, " <span class=\"soft\">%.1f&nbsp;%%</span>",
			100.0 * (double)n / (double)of);
	fputs("</div>\n", to);
}

static void put_cards(FILE *to, const struct tally *t)
{
	const int64_t all = t->total.n_messages;

	fputs("<div class=\"cards\">\n", to);
	put_card(to, "messages", all, 0);
	put_card(to, "encrypted", t->total.n_encrypted, all);
	put_card(to, "refused", t->total.n_refused, all);
	if (t->total.n_would > 0)
		put_card(to, "would be refused", t->total.n_would, all);
	put_card(to, "senders", (int64_t)t->by[TALLY_SENDER].n, 0);
	put_card(to, "recipients", (int64_t)t->by[TALLY_RECIPIENT].n, 0);
	fputs("</div>\n", to);
}

static void put_rect(FILE *to, const char *class, double x, double width, double *y, int64_t n,
		     double unit)
{
	const double height = (double)n * unit;

	if (n <= 0)
		return;
	*y -= height;
	fprintf(to, "<rect class=\"%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>",
		class, x, *y, width, height);
}

/* 1, 2 or 5 times a power of ten, at or above n. */
static int64_t round_up(int64_t n)
{
	static const int64_t steps[] = {1, 2, 5};

	for (int64_t power = 1;; power *= 10)
		for (size_t i = 0; i < 3; i++)
			if (steps[i] * power >= n)
				return steps[i] * power;
}

static void put_scale(FILE *to, int64_t top)
{
	char number[OUTPUT_NUMBER_MAX];

	for (int i = 0; i <= 2; i++) {
		const double y = PLOT_BOTTOM - (PLOT_BOTTOM - PLOT_TOP) * i / 2.0;

		if (i == 1 && top < 2)
			continue;
		fprintf(to, "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", PLOT_LEFT,
			CHART_WIDTH, y, y);
		if (i > 0) /* above its line, so that a large number has room on a phone, too */
			fprintf(to, "<text x=\"%d\" y=\"%.1f\">%s</text>\n", PLOT_LEFT, y - 5,
				output_number(number, top * i / 2));
	}
}

static int64_t day_number(const char *day)
{
	char err[300], utc[40];
	int64_t time_unix = 0;

	snprintf(utc, sizeof(utc), "%.10sT00:00:00Z", day);
	clock_parse_when(utc, 0, false, &time_unix, err, sizeof(err));
	return time_unix / 86400;
}

/* One bar a day, days without mail included, so that the time axis is true. */
static void put_days(FILE *to, struct tally *t)
{
	struct sums *s = &t->by[TALLY_DAY];
	int64_t first, last, n_days, most = 1;
	double step, width, unit;

	if (s->n == 0)
		return;
	sums_sort(s, SUMS_BY_KEY);
	last = day_number(s->list[s->n - 1]->key);
	first = day_number(s->list[0]->key);
	if (last - first >= DAYS_MAX)
		first = last - DAYS_MAX + 1;
	n_days = last - first + 1;
	for (size_t i = 0; i < s->n; i++)
		most = s->list[i]->n_messages > most ? s->list[i]->n_messages : most;
	most = round_up(most);
	step = (double)(CHART_WIDTH - PLOT_LEFT) / (double)(n_days < 7 ? 7 : n_days);
	width = step * 0.8 > 40 ? 40 : step * 0.8;
	unit = (double)(PLOT_BOTTOM - PLOT_TOP) / (double)most;
	fprintf(to,
		"<h2>Messages by day</h2>\n<div class=\"wide\"><svg viewBox=\"0 0 %d %d\" "
		"role=\"img\" "
		"aria-label=\"Messages by day\">\n",
		CHART_WIDTH, CHART_HEIGHT);
	put_scale(to, most);
	for (size_t i = 0; i < s->n; i++) {
		const struct sum *k = s->list[i];
		const int64_t at = day_number(k->key) - first;
		const double x = PLOT_LEFT + step * (double)at + (step - width) / 2;
		const int64_t n_plain = k->n_messages - k->n_refused - k->n_would - k->n_encrypted;
		double y = PLOT_BOTTOM;

		if (at < 0)
			continue;
		fprintf(to, "<g><title>%s: %lld messages, %lld encrypted, %lld refused</title>",
			k->key, (long long)k->n_messages, (long long)k->n_encrypted,
			(long long)k->n_refused);
		put_rect(to, "good", x, width, &y, k->n_encrypted, unit);
		put_rect(to, "plain", x, width, &y, n_plain, unit);
		put_rect(to, "would", x, width, &y, k->n_would, unit);
		put_rect(to, "bad", x, width, &y, k->n_refused, unit);
		fputs("</g>\n", to);
		if (at == 0 || at == n_days - 1 || (n_days > 20 && at == n_days / 2))
			fprintf(to, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%s</text>\n",
				x + width / 2, CHART_HEIGHT - 8,
				at == 0 ? "start" /* short: three have room */
				: at == n_days - 1 && n_days > 6 ? "end"
								 : "middle",
				k->key + (at > 0 && strncmp(k->key, s->list[0]->key, 5) == 0 ? 5
											     : 0));
	}
	fputs("</svg></div>\n<p class=\"key\"><span><i "
	      "style=\"background:var(--good)\"></i>encrypted</span>"
	      "<span><i style=\"background:var(--plain)\"></i>other, accepted</span>"
	      "<span><i style=\"background:var(--would)\"></i>would be refused</span>"
	      "<span><i style=\"background:var(--bad)\"></i>refused</span></p>\n",
	      to);
}

static void put_head(FILE *to, const struct tally *t, enum tally_by by, const char *title,
		     const char *said)
{
	fprintf(to,
		"<h2>%s</h2>\n<p class=\"soft\">%s</p>\n<div "
		"class=\"wide\"><table>\n<thead><tr><th>%s</th>",
		title, said,
		by == TALLY_PAIR   ? "from and to"
		: by == TALLY_RULE ? "what decided"
				   : tally_name(by));
	fputs("<th>messages</th>", to);
	if (by != TALLY_PAIR) /* which has none */
		fputs("<th>encrypted</th>", to);
	fputs("<th>refused</th>", to);
	if (t->total.n_would > 0)
		fputs("<th>would be</th>", to);
	fputs("</tr></thead>\n<tbody>\n", to);
}

static void put_row(FILE *to, const struct tally *t, enum tally_by by, const struct sum *k)
{
	char number[OUTPUT_NUMBER_MAX];

	fputs("<tr><td>", to);
	put_text(to, k->key);
	fprintf(to, "</td><td>%s</td>", output_number(number, k->n_messages));
	if (by != TALLY_PAIR)
		fprintf(to, "<td>%s</td>", output_number(number, k->n_encrypted));
	fprintf(to, "<td>%s</td>", output_number(number, k->n_refused));
	if (t->total.n_would > 0)
		fprintf(to, "<td>%s</td>", output_number(number, k->n_would));
	fputs("</tr>\n", to);
}

/* The first of a list, in this order, which the sentence below the title says. */
static void put_table(FILE *to, struct tally *t, enum tally_by by, enum sums_order order,
		      const char *title, const char *said)
{
	struct sums *s = &t->by[by];
	char number[OUTPUT_NUMBER_MAX];

	if (s->n == 0)
		return;
	sums_sort(s, order);
	if (order == SUMS_BY_REFUSED && s->list[0]->n_refused + s->list[0]->n_would == 0)
		return;
	put_head(to, t, by, title, said);
	for (size_t i = 0; i < s->n && i < TOP; i++) {
		if (order == SUMS_BY_REFUSED && s->list[i]->n_refused + s->list[i]->n_would == 0)
			break;
		put_row(to, t, by, s->list[i]);
	}
	fputs("</tbody>\n</table></div>\n", to);
	if (s->n > TOP)
		fprintf(to, "<p class=\"soft\">and %s more</p>\n",
			output_number(number, (int64_t)s->n - TOP));
}

/* "Monday, 30 November 2026, 03:12 CET" */
static void put_time(FILE *to, int64_t time_unix)
{
	const time_t when = (time_t)time_unix;
	struct tm local;
	char text[100];

	if (localtime_r(&when, &local) != NULL &&
	    strftime(text, sizeof(text), "%A, %-d %B %Y, %H:%M %Z", &local) > 0)
		fputs(text, to);
}

static void put_title(FILE *to, const struct tally *t, const struct report_page *page)
{
	fputs("<title>Encrypted mail: ", to);
	put_name(to, page->title);
	fputs("</title>\n</head>\n<body>\n<h1>Encrypted mail: ", to);
	put_text(to, page->title);
	fputs("</h1>\n<p class=\"soft\">", to);
	put_time(to, page->since_unix);
	fputs(" to ", to);
	put_time(to, page->now_unix);
	fputs("</p>\n", to);
	if (t->total.first_unix == 0)
		return;
	fputs("<p class=\"soft\">First message: ", to);
	put_time(to, t->total.first_unix);
	fputs(". Last: ", to);
	put_time(to, t->total.last_unix);
	fputs(".</p>\n", to);
}

void report_html(FILE *to, struct tally *t, const struct report_page *page)
{
	fputs(head, to);
	put_title(to, t, page);
	put_cards(to, t);
	if (t->total.n_would > 0)
		fputs("<p class=\"soft\">\"Would be refused\": let in, since nothing was refused "
		      "then (enforce = no, or a "
		      "pause); had the rules been enforced, it would have been refused.</p>\n",
		      to);
	put_days(to, t);
	put_table(to, t, TALLY_VERDICT, SUMS_BY_MESSAGES, "What came",
		  "By verdict, the most messages first.");
	put_table(to, t, TALLY_REASON, SUMS_BY_MESSAGES, "Why",
		  "By reason, the most messages first; pgpgate-verdicts(7) explains them.");
	put_table(to, t, TALLY_PAIR, SUMS_BY_MESSAGES,
		  "Who sends what is not encrypted, and to whom", "The most messages first.");
	put_table(to, t, TALLY_RECIPIENT, SUMS_BY_MESSAGES, "Recipients",
		  "The most messages first.");
	put_table(to, t, TALLY_DOMAIN, SUMS_BY_MESSAGES, "Senders' domains",
		  "The most messages first.");
	put_table(to, t, TALLY_SENDER, SUMS_BY_REFUSED, "Senders most often refused",
		  "The most refusals first, those that would have been included.");
	put_table(to, t, TALLY_RULE, SUMS_BY_MESSAGES, "What decided",
		  "Rules by their number, as pgpgate rules shows them, and the settings where "
		  "there was none; the most "
		  "messages first.");
	fputs("</body>\n</html>\n", to);
}
