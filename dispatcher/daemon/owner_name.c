#include "dispatcher/daemon/owner_name.h"

#include <assert.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "dispatcher/daemon/clock_system.h"

enum { HOST_BYTES = 64 };

void owner_name(const char *prefix, char name[OWNER_BYTES_MAX + 1])
{
    char host[HOST_BYTES] = "";
    uint32_t random = 0;
    if (gethostname(host, sizeof host - 1) != 0) (void)snprintf(host, sizeof host, "unknown");
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) {
        struct clock clock = clock_system();
        random = (uint32_t)clock.monotonic_us(clock.opaque);
    }
    int length = snprintf(name, OWNER_BYTES_MAX + 1, "%s%s-%d-%08" PRIx32, prefix, host,
                          (int)getpid(), random);
    assert(length > 0 && length <= OWNER_BYTES_MAX);
    (void)length;
}
