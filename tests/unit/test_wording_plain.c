/* SPDX-License-Identifier: ISC
 *
 * The cases of test_wording.c on a machine without SSE2.
 */
#define HAS_SSE2 0
#include "scan/wording.c"

#include "tests/unit/test_wording.c"
