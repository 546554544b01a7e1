/* SPDX-License-Identifier: ISC
 *
 * The cases of test_base64.c on a machine without AVX2.
 */
#define HAS_AVX2 false
#include "scan/base64.c"

#include "tests/unit/test_base64.c"
