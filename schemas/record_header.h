/* record_header.h - one header of a Kafka record; borrowed bytes. */
#ifndef BELFRY_SCHEMAS_RECORD_HEADER_H
#define BELFRY_SCHEMAS_RECORD_HEADER_H

#include "lib/base/text.h"

struct record_header {
    struct text name;
    struct text value;
};

#endif
