/* SPDX-License-Identifier: ISC
 *
 * pager.h: what is longer than the screen goes to a pager, as git does it: $PGPGATE_PAGER, $PAGER,
 * less; none with "" or "cat", when standard output is no terminal, when TERM is not set or dumb,
 * or when the terminal does not say how large it is. LESS is set to FRX where it is not. What fits
 * on the screen is just printed.
 */
#ifndef PGPGATE_CLI_PAGER_H
#define PGPGATE_CLI_PAGER_H

/* From here on standard output is held back until it is longer than the screen. */
void pager_begin(void);

/* Writes out what is held back, or ends the output and waits until the reader leaves the pager.
 * Without pager_begin() nothing happens. */
void pager_end(void);

#endif
